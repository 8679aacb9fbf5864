// The GPUs that libtorch can use.
#pragma once

#include <c10/core/Device.h>
#include <napi.h>

namespace cleanclip {

// Returns the GPU that JavaScript names: an index, "cuda:<index>", or "cuda" or undefined for this thread's current
// GPU. It initialises CUDA if needed. Throws ArgumentError when there is no such GPU.
c10::Device gpuArg(const Napi::Value& value);

void exportDevices(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
