#include "attention.h"

#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu_backward.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <torch/csrc/autograd/custom_function.h>

namespace cleanclip {

namespace {

at::Tensor wide(const at::Tensor& t) { return t.to(at::kFloat); }

// Flash attention on the CPU (Dao et al. 2022), computed in float32.
struct WideAttention : torch::autograd::Function<WideAttention> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& q, const at::Tensor& k,
                            const at::Tensor& v, bool causal) {
    const auto [out, log_sums] = at::_scaled_dot_product_flash_attention_for_cpu(wide(q), wide(k), wide(v), 0, causal);
    const auto y = out.to(q.scalar_type());
    context->save_for_backward({q, k, v, y, log_sums});
    context->saved_data["causal"] = causal;
    return y;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto [dq, dk, dv] = at::_scaled_dot_product_flash_attention_for_cpu_backward(
        wide(gradients[0]), wide(saved[0]), wide(saved[1]), wide(saved[2]), wide(saved[3]), saved[4], 0,
        context->saved_data["causal"].toBool());
    const auto dtype = saved[0].scalar_type();
    return {dq.to(dtype), dk.to(dtype), dv.to(dtype), {}};
  }
};

}  // namespace

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                     const std::optional<at::Tensor>& mask, bool causal) {
  if (!mask && q.is_cpu() && c10::isReducedFloatingType(q.scalar_type())) return WideAttention::apply(q, k, v, causal);
  return at::scaled_dot_product_attention(q, k, v, mask, 0.0, causal);
}

}  // namespace cleanclip
