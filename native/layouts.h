// Tensors whose memory is not laid out as usual: mkldnn, quantized, sparse_csr.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <vector>

namespace cleanclip {

// Refuses such tensors, by ArgumentError, unless the operator is made for them:
// kernels for ordinary memory are picked when such a tensor comes second, and read where nothing is.
void checkLayouts(const c10::OperatorHandle& op, const std::vector<c10::IValue>& arguments);

}  // namespace cleanclip
