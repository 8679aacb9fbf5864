#pragma once

#include <napi.h>

namespace cleanclip {

// From now on, CPU tensors of this process reuse the memory of freed ones, as with torch's CUDA allocator. Otherwise
// each large tensor takes new memory from the system, whose first touch costs a third of a training step.
void installCachingAllocator();

// emptyCache(): returns the memory that no tensor uses to the system
void exportCachingAllocator(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
