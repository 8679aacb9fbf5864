#pragma once

#include <napi.h>

namespace cleanclip {

// Gives CPU tensors memory that earlier ones have left, as torch's CUDA allocator does, in the whole process from now
// on. Otherwise each large tensor is memory fresh from the system, whose first touch costs a third of a training step.
void installCachingAllocator();

// emptyCache(): gives the memory that no tensor uses back to the system
void exportCachingAllocator(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
