// Exports the heartbeat of a group to JavaScript.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportHeartbeats(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
