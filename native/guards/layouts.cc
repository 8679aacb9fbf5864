// Kernels that are registered for all layouts but read ordinary memory, and kernels for other layouts that read memory
// by the sizes of another tensor.
#include <ATen/SparseCsrTensorUtils.h>

#include "all.h"
#include "arguments.h"

namespace cleanclip::guards {

// These operators read the first tensor as ordinary memory.
void strided(const Schema& schema, const Stack& stack) {
  const auto& tensor = stack.at(0).toTensor();
  if (tensor.is_quantized() || tensor.layout() != at::kStrided)
    refuse(schema, "a strided tensor that is not quantized.");
}

// The kernel writes rows as if they were contiguous.
void contiguousOutput(const Schema& schema, const Stack& stack) {
  const auto out = argumentIfAny(schema, stack, "out");
  if (out.isTensor() && out.toTensor().numel() > 0 && !out.toTensor().is_contiguous()) {
    throw ArgumentError(schema.name() + " takes a contiguous `out`.");
  }
}

// The view would be quantized without a scale.
void viewDtype(const Schema& schema, const Stack& stack) {
  if (schema.overload_name() == "dtype" && stack.at(0).toTensor().is_quantized())
    refuse(schema, "no dtype for a quantized tensor; call int_repr() first.");
}

// The kernel sorts a copy, but reads it by the strides of the expanded tensor, which the copy does not have.
void median(const Schema& schema, const Stack& stack) {
  const auto& tensor = stack.at(0).toTensor();
  const auto given = argumentIfAny(schema, stack, "dim");
  if (!given.isInt() || tensor.layout() != at::kStrided) return;
  const auto dim = given.toInt() < 0 ? given.toInt() + tensor.dim() : given.toInt();
  if (dim < 0 || dim >= tensor.dim() || tensor.size(dim) < 2 || tensor.stride(dim) != 0) return;
  refuse(schema, "a tensor that is not expanded along dim; call contiguous() first.");
}

// The MKL-DNN library divides by the sizes of the tensor.
void toMkldnn(const Schema& schema, const Stack& stack) {
  if (stack.at(0).toTensor().numel() == 0) refuse(schema, "a tensor that is not empty.");
}

// MKL's product of a compressed sparse matrix and a vector reads beyond the values of the matrix.
void sparseProduct(const Schema& schema, const Stack& stack) {
  for (size_t i = 0; i + 1 < stack.size(); i++) {
    if (!stack[i].isTensor() || !at::sparse_csr::is_sparse_compressed(stack[i].toTensor()) || !stack[i + 1].isTensor())
      continue;
    const auto& right = stack[i + 1].toTensor();
    if (right.dim() < 2) refuse(schema, "no vector beside a compressed sparse matrix; call unsqueeze(1), and mm().");
    if (stack[i].toTensor().size(-1) != right.size(-2)) refuse(schema, "factors of matching sizes.");
  }
}

// The MKL-DNN library reads the weight and the bias by the sizes of the input.
void linear(const Schema& schema, const Stack& stack) {
  const auto& input = stack.at(0).toTensor();
  if (!input.is_mkldnn()) return;
  const auto& weight = argument(schema, stack, "weight").toTensor();
  const auto& bias = argument(schema, stack, "bias");
  const bool fits = input.dim() >= 1 && weight.dim() == 2 && weight.size(1) == input.size(-1) && weight.numel() > 0 &&
                    (!bias.isTensor() || (bias.toTensor().dim() == 1 && bias.toTensor().size(0) == weight.size(0)));
  if (!fits) refuse(schema, "a weight [out, in] and a bias [out] that fit an mkldnn input [..., in].");
}

// The kernel reads the minimum and the maximum, which an empty weight does not have.
void quantizeWeight(const Schema& schema, const Stack& stack) {
  const auto& weight = stack.at(0).toTensor();
  if (weight.numel() == 0 || weight.dim() != 2) refuse(schema, "a matrix that is not empty.");
}

}  // namespace cleanclip::guards
