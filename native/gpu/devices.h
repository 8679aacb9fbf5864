// The GPUs that libtorch sees.
#pragma once

#include <c10/core/Device.h>
#include <napi.h>

namespace cleanclip {

// The GPU that JavaScript names: its index, "cuda:<index>", or "cuda" and undefined for the current one of this thread.
// CUDA is initialised by then. Throws ArgumentError where there is no GPU, or not that one.
c10::Device gpuArg(const Napi::Value& value);

void exportDevices(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
