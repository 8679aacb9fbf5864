#include "layers.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>

#include "sync_batch_norm.h"

namespace cleanclip {

Conv2d::Conv2d(int64_t in, int64_t out, int64_t kernel, int64_t stride, int64_t padding)
    : weight(register_parameter("weight", at::empty({out, in, kernel, kernel}, at::MemoryFormat::ChannelsLast))),
      stride(stride),
      padding(padding) {}

at::Tensor Conv2d::forward(const at::Tensor& x) const { return at::conv2d(x, weight, {}, stride, padding); }

BatchNorm2d::BatchNorm2d(int64_t channels)
    : weight(register_parameter("weight", at::empty(channels))),
      bias(register_parameter("bias", at::empty(channels))),
      running_mean(register_buffer("running_mean", at::empty(channels))),
      running_var(register_buffer("running_var", at::empty(channels))),
      num_batches_tracked(register_buffer("num_batches_tracked", at::empty({}, at::kLong))) {}

at::Tensor BatchNorm2d::forward(const at::Tensor& x) {
  const bool training = is_training();
  const bool frozen = training && FrozenStatistics::active();
  if (training && !frozen) num_batches_tracked.add_(1);
  const auto mean = frozen ? at::Tensor() : running_mean, var = frozen ? at::Tensor() : running_var;
  if (training && ranks) return sync_batch_norm(x, weight, bias, mean, var, 0.1, 1e-5, ranks);
  return at::batch_norm(x, weight, bias, mean, var, training, 0.1, 1e-5, true);
}

LayerNorm::LayerNorm(int64_t width)
    : weight(register_parameter("weight", at::empty(width))), bias(register_parameter("bias", at::empty(width))) {}

at::Tensor LayerNorm::forward(const at::Tensor& x) const { return at::layer_norm(x, weight.sizes(), weight, bias); }

Linear::Linear(int64_t in, int64_t out)
    : weight(register_parameter("weight", at::empty({out, in}))), bias(register_parameter("bias", at::empty(out))) {}

at::Tensor Linear::forward(const at::Tensor& x) const { return at::linear(x, weight, bias); }

Embedding::Embedding(int64_t count, int64_t width) : weight(register_parameter("weight", at::empty({count, width}))) {}

at::Tensor Embedding::forward(const at::Tensor& ids) const { return at::embedding(weight, ids); }

}  // namespace cleanclip
