#include "sync_batch_norm.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/batch_norm_update_stats.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/native_batch_norm.h>
#include <ATen/ops/native_batch_norm_backward.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros_like.h>
#include <torch/csrc/autograd/custom_function.h>

#include "distributed/exchange.h"

namespace cleanclip {

namespace {

using c10d::ProcessGroup;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The statistics of each channel over all ranks' batches, in the dtype of batch norm's weight.
struct Moments {
  at::Tensor mean, var;  // [C], the variance biased
  at::Tensor count;      // [], the number of values
};

Moments momentsOver(ProcessGroup& ranks, const at::Tensor& x, const at::Tensor& weight) {
  const auto channels = x.size(1);
  // The statistics have the dtype of the running statistics given here, which are thrown away.
  const auto [own_mean, own_var] = at::batch_norm_update_stats(x, at::zeros_like(weight), at::zeros_like(weight), 0);
  const auto own = at::cat({own_mean, own_var, own_mean.new_full({1}, x.numel() / channels)}).unsqueeze(0);
  const auto all = gatherRows(ranks, own, Counts(ranks.getSize(), 1)).split_with_sizes({channels, channels, 1}, 1);
  const auto &means = all[0], &vars = all[1], &counts = all[2];  // [ranks, C], [ranks, C], [ranks, 1]
  const auto count = counts.sum();
  const auto share = counts / count;
  const auto mean = (share * means).sum(0);
  return {mean, (share * (vars + (means - mean).square())).sum(0), count};
}

// y = x̂·weight + bias, x̂ = (x − mean)/σ. Backward knows that the mean and σ come from the x of all ranks:
//   dx = weight/σ · (dy − mean of dy − x̂ · mean of dy·x̂), the means over all ranks' values.
struct Normalise : torch::autograd::Function<Normalise> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias, const Moments& moments, double eps,
                            const c10::intrusive_ptr<ProcessGroup>& ranks) {
    context->save_for_backward({x, weight, moments.mean, moments.var, moments.count});
    context->saved_data["eps"] = eps;
    context->saved_data["ranks"] = c10::IValue::make_capsule(ranks);
    return std::get<0>(at::native_batch_norm(x, weight, bias, moments.mean, moments.var, false, 0, eps));
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto &x = saved[0], &weight = saved[1], &mean = saved[2], &var = saved[3], &count = saved[4];
    const auto eps = context->saved_data["eps"].toDouble();
    const auto dy = gradients[0].contiguous(x.suggest_memory_format());
    // This part treats the mean and σ as constants: dx = weight/σ·dy, with this rank's sums of dy·x̂ and dy.
    const auto [dx, dweight, dbias] =
        at::native_batch_norm_backward(dy, x, weight, mean, var, {}, {}, false, eps, {true, true, true});
    const auto sums = at::stack({dweight, dbias});
    const auto capsule = context->saved_data["ranks"].toCapsule();
    sumOverRanks(static_cast<ProcessGroup&>(*capsule), sums);
    const auto through = sums * (-weight * (var + eps).rsqrt() / count);  // [2, C]
    dx.add_(std::get<0>(at::native_batch_norm(x, through[0], through[1], mean, var, false, 0, eps)));
    return {dx, dweight, dbias, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor sync_batch_norm(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                           const at::Tensor& running_mean, const at::Tensor& running_var, double momentum, double eps,
                           const c10::intrusive_ptr<ProcessGroup>& ranks) {
  Moments moments;
  {
    const at::NoGradGuard guard;
    moments = momentsOver(*ranks, x, weight);
    if (running_mean.defined()) {
      const auto& [mean, var, count] = moments;
      running_mean.lerp_(mean, momentum);
      running_var.lerp_(var * (count / (count - 1)), momentum);
    }
  }
  return Normalise::apply(x, weight, bias, moments, eps, ranks);
}

}  // namespace cleanclip
