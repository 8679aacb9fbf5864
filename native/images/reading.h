// Reads whole files off the event loop.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportReading(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
