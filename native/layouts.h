// Checks tensors whose memory is not ordinary: mkldnn, quantized, sparse_csr.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <vector>

namespace cleanclip {

// Throws ArgumentError for such a tensor unless the operator is made for it. When such a tensor is not the first
// argument, libtorch may choose a kernel for ordinary memory, which would read invalid addresses.
void checkLayouts(const c10::OperatorHandle& op, const std::vector<c10::IValue>& arguments);

}  // namespace cleanclip
