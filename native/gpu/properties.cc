#include "properties.h"

#include "errors.h"

#ifdef CLEANCLIP_CUDA_HEADERS
#include <ATen/cuda/CUDAContextLight.h>
#endif

namespace cleanclip {

#ifdef CLEANCLIP_CUDA_HEADERS

GpuProperties gpuProperties(c10::Device gpu) {
  const auto& found = *at::cuda::getDeviceProperties(gpu.index());
  return {found.name, found.major, found.minor, found.totalGlobalMem, found.multiProcessorCount};
}

#else

GpuProperties gpuProperties(c10::Device) {
  throw ArgumentError(
      "This addon was compiled without the headers of CUDA; compile it anew by 'npx cleanclip setup --cuda'.");
}

#endif

}  // namespace cleanclip
