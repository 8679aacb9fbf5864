// The number of threads that one operator may use.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportThreads(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
