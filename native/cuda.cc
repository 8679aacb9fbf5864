#include "cuda.h"

#include <torch/cuda.h>

#include "exports.h"

namespace cleanclip {

void exportCuda(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "cudaDeviceCount", [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), torch::cuda::device_count());
  });
}

}  // namespace cleanclip
