#include "cuda_devices.h"

#include <ATen/Context.h>
#include <torch/cuda.h>

#include "exports.h"

namespace cleanclip {

void exportCuda(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "cudaDeviceCount", [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), torch::cuda::device_count());
  });
  // From compute capability 8.0 on.
  exportFunction(exports, "cudaHasBfloat16", [](const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8());
  });
}

}  // namespace cleanclip
