// Locks files; the system frees the locks when the process ends.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportLock(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
