// AutoAugment's operations on the pixels of an image, with PIL's arithmetic to the last bit.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace cleanclip::images {

struct Step {
  std::string name;  // as torchvision calls the operation
  double magnitude;  // signed; in the operation's unit: slope, pixels, degrees, bits, level, or change of a factor
};

// Applies the steps in order. `image` is uint8 [H, W, 3], contiguous, on the CPU, with at most 2²⁰ pixels per side.
// Returns a new image of the same kind. Throws ArgumentError for an unknown name.
at::Tensor augment(const at::Tensor& image, const std::vector<Step>& steps);

}  // namespace cleanclip::images
