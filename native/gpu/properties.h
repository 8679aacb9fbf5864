#pragma once

#include <c10/core/Device.h>

#include <cstddef>
#include <string>

namespace cleanclip {

struct GpuProperties {
  std::string name;
  int major, minor;    // compute capability
  size_t totalMemory;  // bytes
  int multiProcessorCount;
};

// Returns the properties of a GPU; throws ArgumentError in an addon that was compiled without CUDA's headers.
GpuProperties gpuProperties(c10::Device gpu);

}  // namespace cleanclip
