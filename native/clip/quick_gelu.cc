#include "quick_gelu.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/sigmoid_backward.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/silu_backward.h>
#include <torch/csrc/autograd/custom_function.h>

namespace cleanclip {

namespace {

constexpr double SLOPE = 1.702;

// How many values are computed at a time, so that what lies between the operators stays in a core's cache.
constexpr int64_t TILE = 16 * 1024;

at::Tensor composed(const at::Tensor& x) { return x * at::sigmoid(SLOPE * x); }

// dx of `composed`, operator by operator as autograd takes them.
at::Tensor composed_backward(const at::Tensor& dy, const at::Tensor& x) {
  const auto s = at::sigmoid(SLOPE * x);
  return at::sigmoid_backward(dy * x, s).mul(SLOPE) + dy * s;
}

// x·σ(ax) = silu(ax)/a, whose derivative is that of silu at ax: one kernel each, which computes in float32.
at::Tensor by_silu(const at::Tensor& x) { return at::silu(x.mul(SLOPE)).div_(SLOPE); }
at::Tensor by_silu_backward(const at::Tensor& dy, const at::Tensor& x) { return at::silu_backward(dy, x.mul(SLOPE)); }

// Calls compute(from, count) for tiles of `size` values, on all threads, without autograd.
template <class Compute>
void overTiles(int64_t size, const Compute& compute) {
  at::parallel_for(0, (size + TILE - 1) / TILE, 1, [&](int64_t begin, int64_t end) {
    const at::AutoDispatchBelowAutograd guard;
    for (int64_t tile = begin; tile < end; tile++) compute(tile * TILE, std::min(TILE, size - tile * TILE));
  });
}

// `composed` in tiles, with the same bits; x is contiguous and on the CPU.
at::Tensor tiled(const at::Tensor& x) {
  auto y = at::empty_like(x);
  const auto in = x.view(-1), out = y.view(-1);
  overTiles(x.numel(), [&](int64_t from, int64_t count) {
    const auto part = in.narrow(0, from, count);
    auto result = out.narrow(0, from, count);
    at::mul_out(result, part, at::sigmoid(part.mul(SLOPE)));
  });
  return y;
}

at::Tensor tiled_backward(const at::Tensor& dy, const at::Tensor& x) {
  auto dx = at::empty_like(x);
  const auto in = x.view(-1), grad = dy.contiguous().view(-1), out = dx.view(-1);
  overTiles(x.numel(), [&](int64_t from, int64_t count) {
    out.narrow(0, from, count).copy_(composed_backward(grad.narrow(0, from, count), in.narrow(0, from, count)));
  });
  return dx;
}

bool is_reduced(const at::Tensor& x) { return c10::isReducedFloatingType(x.scalar_type()); }

struct QuickGelu : torch::autograd::Function<QuickGelu> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    context->save_for_backward({x});
    return is_reduced(x) ? by_silu(x) : tiled(x);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto x = context->get_saved_variables()[0];
    const auto& dy = gradients[0];
    if (at::GradMode::is_enabled()) return {composed_backward(dy, x)};  // it may be differentiated once more
    return {is_reduced(x) ? by_silu_backward(dy, x) : tiled_backward(dy, x)};
  }
};

}  // namespace

at::Tensor quick_gelu(const at::Tensor& x) {
  return is_reduced(x) || (x.is_cpu() && x.is_contiguous()) ? QuickGelu::apply(x) : composed(x);
}

}  // namespace cleanclip
