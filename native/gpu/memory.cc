#include "memory.h"

#include <c10/core/CachingDeviceAllocator.h>

#include "devices.h"
#include "exports.h"

namespace cleanclip {

namespace {

c10::DeviceAllocator& allocator() { return *c10::getDeviceAllocator(c10::kCUDA); }

// cudaMemory(device): bytes in tensors (allocated) and bytes taken from the GPU (reserved), now and at their peaks
napi_value cudaMemory(const Napi::CallbackInfo& info) {
  const auto device = gpuArg(info[0]);
  const auto statistics = allocator().getDeviceStats(device.index());
  constexpr auto all = static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const auto& allocated = statistics.allocated_bytes.at(all);
  const auto& reserved = statistics.reserved_bytes.at(all);
  auto result = Napi::Object::New(info.Env());
  result["allocated"] = static_cast<double>(allocated.current);
  result["maxAllocated"] = static_cast<double>(allocated.peak);
  result["reserved"] = static_cast<double>(reserved.current);
  result["maxReserved"] = static_cast<double>(reserved.peak);
  return result;
}

}  // namespace

void exportGpuMemory(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "cudaMemory", cudaMemory);
  // resetPeakCudaMemory(device): sets both peaks to the present values
  exportFunction(exports, "resetPeakCudaMemory", [](const Napi::CallbackInfo& info) {
    const auto device = gpuArg(info[0]);
    allocator().resetPeakStats(device.index());
    return info.Env().Undefined();
  });
  // emptyCudaCache(): returns the memory that no tensor uses to all GPUs
  exportFunction(exports, "emptyCudaCache", [](const Napi::CallbackInfo& info) {
    gpuArg(info.Env().Undefined());
    allocator().emptyCache();
    return info.Env().Undefined();
  });
}

}  // namespace cleanclip
