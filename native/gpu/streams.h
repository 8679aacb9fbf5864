// Streams and events of a GPU.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportStreams(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
