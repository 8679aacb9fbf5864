#include "layouts.h"

#include <c10/util/irange.h>

#include "errors.h"

namespace cleanclip {

namespace {

// Whether the operator has a kernel for such tensors, or is written in terms of operators that have.
bool madeFor(const c10::OperatorHandle& op, c10::DispatchKey key, bool output) {
  using c10::DispatchKey;
  return op.hasKernelForDispatchKey(key) || (!output && (op.hasKernelForDispatchKey(DispatchKey::CompositeImplicitAutograd) ||
                                                         op.hasKernelForDispatchKey(DispatchKey::CompositeExplicitAutograd)));
}

void checkLayout(const c10::OperatorHandle& op, const c10::Argument& argument, const at::Tensor& tensor) {
  using c10::DispatchKey;
  const bool output = argument.kwarg_only() && argument.is_out();
  for (const auto key : {DispatchKey::MkldnnCPU, DispatchKey::QuantizedCPU, DispatchKey::SparseCsrCPU}) {
    if (tensor.key_set().has(key) && !madeFor(op, key, output)) {
      throw ArgumentError(op.schema().name() + " takes no " + (tensor.is_quantized() ? "quantized" : "mkldnn or sparse_csr") +
                          " tensors; call " + (tensor.is_quantized() ? "dequantize()" : "to_dense()") + " first.");
    }
  }
}

}  // namespace

void checkLayouts(const c10::OperatorHandle& op, const std::vector<c10::IValue>& arguments) {
  constexpr c10::DispatchKeySet special{c10::DispatchKey::MkldnnCPU, c10::DispatchKey::Quantized, c10::DispatchKey::SparseCsr};
  const auto inspect = [&](size_t i, const at::Tensor& tensor) {
    if (tensor.key_set().has_any(special)) checkLayout(op, op.schema().arguments()[i], tensor);
  };
  for (const auto i : c10::irange(arguments.size())) {
    if (arguments[i].isTensor()) {
      inspect(i, arguments[i].toTensor());
    } else if (arguments[i].isTensorList()) {
      for (const at::Tensor& tensor : arguments[i].toTensorVector()) inspect(i, tensor);
    }
  }
}

}  // namespace cleanclip
