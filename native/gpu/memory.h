// What libtorch's allocator holds of a GPU's memory.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportGpuMemory(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
