// The GPUs that libtorch sees.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportCuda(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
