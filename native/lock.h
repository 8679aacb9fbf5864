// Locks on files that the system frees when the process ends.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportLock(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
