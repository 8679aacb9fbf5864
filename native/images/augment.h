// AutoAugment's operations on the pixels of an image, with PIL's arithmetic to the last bit.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace cleanclip::images {

struct Step {
  std::string name;  // as torchvision calls the operation
  double magnitude;  // in its unit, with its sign
};

// Applies the steps in order. `image` is uint8 [H, W, 3], contiguous, on the CPU, of at most 2²⁰ pixels a side; the
// result a new one. Throws ArgumentError at a name that is not one.
at::Tensor augment(const at::Tensor& image, const std::vector<Step>& steps);

}  // namespace cleanclip::images
