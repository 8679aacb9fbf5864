#include "layouts.h"

#include <c10/util/irange.h>

#include <array>

#include "errors.h"

namespace cleanclip {

namespace {

// Whether the operator has a kernel for such tensors, or is composed of other operators.
bool madeFor(const c10::OperatorHandle& op, c10::DispatchKey key, bool output) {
  using c10::DispatchKey;
  return op.hasKernelForDispatchKey(key) ||
         (!output && (op.hasKernelForDispatchKey(DispatchKey::CompositeImplicitAutograd) ||
                      op.hasKernelForDispatchKey(DispatchKey::CompositeExplicitAutograd)));
}

constexpr std::array kSpecial{c10::DispatchKey::MkldnnCPU, c10::DispatchKey::QuantizedCPU,
                              c10::DispatchKey::SparseCsrCPU};

// `inputs` has the keys of the tensors before this one. The inputs choose the kernel: with ordinary inputs, it would
// write to an output as if that were ordinary memory.
void checkLayout(const c10::OperatorHandle& op, const c10::Argument& argument, const at::Tensor& tensor,
                 c10::DispatchKeySet inputs) {
  const bool output = argument.kwarg_only() && argument.is_out();
  for (const auto key : kSpecial) {
    if (tensor.key_set().has(key) && (!madeFor(op, key, output) || (output && !inputs.has(key)))) {
      throw ArgumentError(op.schema().name() + " takes no " +
                          (tensor.is_quantized() ? "quantized" : "mkldnn or sparse_csr") +
                          (output ? " `out` here; leave it out." : " tensors; call ") +
                          (output                  ? ""
                           : tensor.is_quantized() ? "dequantize() first."
                                                   : "to_dense() first."));
    }
  }
}

}  // namespace

void checkLayouts(const c10::OperatorHandle& op, const std::vector<c10::IValue>& arguments) {
  constexpr c10::DispatchKeySet special{c10::DispatchKey::MkldnnCPU, c10::DispatchKey::Quantized,
                                        c10::DispatchKey::SparseCsr};
  c10::DispatchKeySet inputs;
  const auto inspect = [&](size_t i, const at::Tensor& tensor) {
    if (!tensor.key_set().has_any(special)) return;
    checkLayout(op, op.schema().arguments()[i], tensor, inputs);
    if (!op.schema().arguments()[i].is_out()) inputs = inputs | tensor.key_set();
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
