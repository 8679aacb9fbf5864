// Operators that take sizes as arguments, which must be those of their tensors.
#include <ATen/core/grad_mode.h>

#include "all.h"
#include "arguments.h"

namespace cleanclip::guards {

// The operator reads the weight by `kernel_size`.
void kernelSize(const Schema& schema, const Stack& stack) {
  const auto& weight = argument(schema, stack, "weight").toTensor();
  const auto told = argument(schema, stack, "kernel_size").toIntVector();
  if (weight.dim() < 2 || weight.sizes().slice(2) != at::IntArrayRef(told))
    refuse(schema, "the kernel_size that its weight has.");
}

// The same check for operators whose weight may also be flat: [out, channels · kernel_size].
void flatKernelSize(const Schema& schema, const Stack& stack) {
  const auto& input = argument(schema, stack, "self").toTensor();
  const auto& weight = argument(schema, stack, "weight").toTensor();
  const auto told = argument(schema, stack, "kernel_size").toIntVector();
  const auto places = static_cast<int64_t>(told.size());
  if (weight.dim() != 2) return kernelSize(schema, stack);
  auto width = input.dim() > places ? input.size(input.dim() - places - 1) : -1;
  for (const auto side : told) {
    if (side < 1 || side > weight.size(1)) width = -1;  // so that the product cannot overflow
    if (width >= 0) width *= side;
    if (width > weight.size(1)) width = -1;
  }
  if (width != weight.size(1)) refuse(schema, "a flat weight [out, channels * kernel_size].");
}

// Backward reads rows even where there are none.
void pdist(const Schema& schema, const Stack& stack) {
  const auto& rows = stack.at(0).toTensor();
  if (rows.dim() == 2 && rows.size(0) == 0 && rows.requires_grad() && at::GradMode::is_enabled()) {
    refuse(schema, "at least one row where its gradient is recorded.");
  }
}

}  // namespace cleanclip::guards
