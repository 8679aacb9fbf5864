// Sizes that an operator is told beside the tensors that have them.
#include "all.h"
#include "arguments.h"

namespace cleanclip::guards {

// The kernel is read by the sizes that are told.
void kernelSize(const Schema& schema, const Stack& stack) {
  const auto& weight = argument(schema, stack, "weight").toTensor();
  const auto told = argument(schema, stack, "kernel_size").toIntVector();
  if (weight.dim() < 2 || weight.sizes().slice(2) != at::IntArrayRef(told)) refuse(schema, "the kernel_size that its weight has.");
}

}  // namespace cleanclip::guards
