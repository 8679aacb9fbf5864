// The heartbeat of a group, for JavaScript.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportHeartbeats(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
