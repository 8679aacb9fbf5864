// Ctrl-C for a command whose event loop does not turn any more.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportInterrupt(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
