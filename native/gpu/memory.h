// The memory of a GPU that libtorch's allocator holds.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportGpuMemory(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
