// The heartbeat of a group, for JavaScript.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportHearts(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
