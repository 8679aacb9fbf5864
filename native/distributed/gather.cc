#include "gather.h"

#include <torch/csrc/autograd/custom_function.h>

#include <numeric>

#include "exchange.h"
#include "exports.h"
#include "group.h"
#include "tensor.h"

namespace cleanclip {

namespace {

using c10d::ProcessGroup;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// [n, …] -> [Σn, …]. Backward gives this rank's rows their gradient here, or (sums) the sum of those on all ranks.
struct Gather : torch::autograd::Function<Gather> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& own,
                            const c10::intrusive_ptr<ProcessGroup>& group, const Counts& counts, bool sums) {
    context->saved_data["group"] = c10::IValue::make_capsule(group);
    context->saved_data["counts"] = counts;
    context->saved_data["sums"] = sums;
    return gatherRows(*group, own, counts);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto capsule = context->saved_data["group"].toCapsule();
    auto& group = static_cast<ProcessGroup&>(*capsule);
    const auto counts = context->saved_data["counts"].toIntVector();
    const auto rank = group.getRank();
    const auto start = std::reduce(counts.begin(), counts.begin() + rank);
    const auto own = context->saved_data["sums"].toBool() ? sumOwnRows(group, gradients[0], counts)
                                                          : gradients[0].narrow(0, start, counts[rank]);
    return {own, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

// allGatherRows(group, tensor [n, …], n of each rank, whether backward sums over ranks): the rows of all ranks, [Σn,
// …], with the tensor's dtype; blocks
napi_value allGatherRows(const Napi::CallbackInfo& info) {
  const auto list = info[2].As<Napi::Array>();
  Counts counts;
  for (uint32_t rank = 0; rank < list.Length(); rank++) counts.push_back(list.Get(rank).ToNumber().Int64Value());
  return wrapTensor(info.Env(), Gather::apply(tensorArg(info.Env(), info[1]), groupArg(info[0]).group, counts,
                                              info[3].ToBoolean().Value()));
}

}  // namespace

void exportGather(Napi::Env, Napi::Object exports) { exportFunction(exports, "allGatherRows", allGatherRows); }

}  // namespace cleanclip
