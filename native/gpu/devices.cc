#include "devices.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <torch/cuda.h>

#include <cmath>
#include <string>

#include "distributed/nccl.h"
#include "exports.h"
#include "names.h"
#include "properties.h"

namespace cleanclip {

namespace {

using c10::impl::VirtualGuardImpl;

bool isCudaBuild() { return at::detail::getCUDAHooks().isBuilt(); }

// Returns the index that a value names, or -1 for the current device.
double indexArg(const Napi::Value& value) {
  if (value.IsUndefined()) return -1;
  if (value.IsNumber() && value.As<Napi::Number>().DoubleValue() >= 0) return value.As<Napi::Number>();
  if (value.IsString()) {
    const std::string name = value.ToString();
    if (name == "cuda") return -1;
    if (name.rfind("cuda:", 0) == 0) return deviceFromName(name).index();
  }
  throw ArgumentError("A GPU is named by its index, 'cuda' or 'cuda:<index>'.");
}

}  // namespace

c10::Device gpuArg(const Napi::Value& value) {
  const int count = torch::cuda::device_count();
  if (count == 0) {
    throw ArgumentError(isCudaBuild() ? "There is no GPU that CUDA can use: nvidia-smi shows what the driver sees, and "
                                        "CUDA_VISIBLE_DEVICES may hide it."
                                      : "There is no GPU for this addon, which was compiled against a CPU build of "
                                        "libtorch; compile it anew by 'npx cleanclip setup --cuda'.");
  }
  const double index = indexArg(value);
  if (index >= count || index != std::trunc(index)) {
    throw ArgumentError("A GPU's index is an integer below " + std::to_string(count) + ", the number of GPUs.");
  }
  at::globalContext().lazyInitDevice(at::kCUDA);
  if (index < 0) return VirtualGuardImpl(at::kCUDA).getDevice();
  return {at::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

void exportDevices(Napi::Env, Napi::Object exports) {
  // cudaBuild(): null in a CPU build, else { nccl: NCCL's version as a string, or null }
  exportFunction(exports, "cudaBuild", [](const Napi::CallbackInfo& info) -> Napi::Value {
    if (!isCudaBuild()) return info.Env().Null();
    auto build = Napi::Object::New(info.Env());
    const auto nccl = ncclVersion();
    build["nccl"] = nccl ? Napi::Value(Napi::String::New(info.Env(), *nccl)) : info.Env().Null();
    return build;
  });
  // cudaDeviceCount(): the number of GPUs that CUDA can use; 0 in a CPU build
  exportFunction(exports, "cudaDeviceCount", [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), torch::cuda::device_count());
  });
  // cudaHasBfloat16(): whether the current GPU has compute capability 8.0 or higher
  exportFunction(exports, "cudaHasBfloat16", [](const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8());
  });
  // In the calls below, `device` is an index, 'cuda:<index>', or 'cuda' or undefined for this thread's current GPU.

  // cudaDevice(): the index of this thread's current GPU
  exportFunction(exports, "cudaDevice", [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), gpuArg(info.Env().Undefined()).index());
  });
  // setCudaDevice(device): makes it this thread's current GPU
  exportFunction(exports, "setCudaDevice", [](const Napi::CallbackInfo& info) {
    const auto device = gpuArg(info[0]);
    VirtualGuardImpl(at::kCUDA).setDevice(device);
    return info.Env().Undefined();
  });
  // cudaSynchronize(device): blocks until all streams of the GPU have finished their work
  exportFunction(exports, "cudaSynchronize", [](const Napi::CallbackInfo& info) {
    const auto device = gpuArg(info[0]);
    VirtualGuardImpl(at::kCUDA).synchronizeDevice(device.index());
    return info.Env().Undefined();
  });
  // cudaProperties(device): its name, compute capability (major, minor), memory in bytes, number of multiprocessors
  exportFunction(exports, "cudaProperties", [](const Napi::CallbackInfo& info) {
    const auto properties = gpuProperties(gpuArg(info[0]));
    auto result = Napi::Object::New(info.Env());
    result["name"] = properties.name;
    result["major"] = properties.major;
    result["minor"] = properties.minor;
    result["totalMemory"] = static_cast<double>(properties.totalMemory);
    result["multiProcessorCount"] = properties.multiProcessorCount;
    return result;
  });
}

}  // namespace cleanclip
