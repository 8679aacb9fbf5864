// Lets Ctrl-C end a command whose event loop is blocked.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportInterrupt(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
