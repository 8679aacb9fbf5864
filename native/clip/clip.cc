#include "clip.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <stdexcept>

#include "resnet.h"
#include "vision_transformer.h"

namespace cleanclip {

namespace {

std::shared_ptr<ImageEncoder> make_visual(const ClipConfig& c) {
  if (c.vision_layers.size() == 1) return std::make_shared<VisionTransformer>(c);
  return std::make_shared<ModifiedResNet>(c);
}

// Normalises rows to unit length, in at least float32: half precisions are too coarse for similarities.
at::Tensor normalise(const at::Tensor& features) {
  const auto wide = at::isReducedFloatingType(features.scalar_type()) ? features.to(at::kFloat) : features;
  return wide / at::linalg_vector_norm(wide, 2, -1, true);
}

}  // namespace

Clip::Clip(const ClipConfig& config) : text_pool(config.text_pool), eos_id(config.eos_id), causal(config.causal) {
  const auto width = config.text.width;
  positional_embedding = register_parameter("positional_embedding", at::empty({config.context_length, width}));
  if (!config.projection_bias)
    text_projection = register_parameter("text_projection", at::empty({width, config.embed_dim}));
  logit_scale = register_parameter("logit_scale", at::empty({}));
  if (config.logit_bias) logit_bias = register_parameter("logit_bias", at::empty({}));
  visual = register_module("visual", make_visual(config));
  transformer = register_module("transformer", std::make_shared<Transformer>(config.text, config.text_layers));
  token_embedding = register_module("token_embedding", std::make_shared<Embedding>(config.vocabulary_size, width));
  ln_final = register_module("ln_final", std::make_shared<LayerNorm>(width));
  if (config.projection_bias)
    biased_projection = register_module("text_projection", std::make_shared<Linear>(width, config.embed_dim));
}

at::Tensor Clip::encode_image(const at::Tensor& pixels) { return visual->forward(pixels.to(logit_scale.options())); }

at::Tensor Clip::encode_text(const at::Tensor& ids, bool pack) {
  const auto ends = this->ends(ids);
  const bool packed = pack && causal;
  const auto length = packed ? ends.max().item<int64_t>() + 1 : ids.size(1);
  const auto device = logit_scale.device();
  const auto sequences = captions(ends, length, causal, packed, device);
  const auto rows = [&](const at::Tensor& by_place) {
    return sequences.unpad(by_place.unsqueeze(2).to(device, /*non_blocking=*/true)).squeeze(1);
  };
  const auto positions = at::arange(length, ids.options()).expand({ids.size(0), -1});
  const auto x =
      token_embedding->forward(rows(ids.narrow(1, 0, length))) + at::embedding(positional_embedding, rows(positions));
  const auto read = ln_final->forward(transformer->forward(x, sequences));  // [B, text_width]
  return biased_projection ? biased_projection->forward(read) : at::matmul(read, text_projection);
}

at::Tensor Clip::ends(const at::Tensor& ids) const {
  switch (text_pool) {
    case TextPool::argmax: return ids.argmax(1);
    case TextPool::eos: return ids.eq(eos_id).to(at::kInt).argmax(1);  // the first; 0 where there is none
    case TextPool::first: return at::zeros(ids.size(0), ids.options().dtype(at::kLong));
    case TextPool::last: return at::full(ids.size(0), ids.size(1) - 1, ids.options().dtype(at::kLong));
  }
  throw std::logic_error("There is no such pooling.");
}

std::pair<at::Tensor, at::Tensor> Clip::forward(const at::Tensor& ids, const at::Tensor& pixels, bool pack) {
  return {normalise(encode_image(pixels)), normalise(encode_text(ids, pack))};
}

void Clip::set_checkpointing(bool on) {
  visual->set_checkpointing(on);
  transformer->checkpointing = on;
}

void Clip::sync_batch_norm(const c10::intrusive_ptr<c10d::ProcessGroup>& ranks) {
  for (const auto& module : modules()) {
    if (auto* norm = module->as<BatchNorm2d>()) norm->ranks = ranks;
  }
}

std::vector<NamedTensor> Clip::state() const {
  std::vector<NamedTensor> entries;
  for (const auto& module : named_modules()) {
    const auto prefix = module.key().empty() ? "" : module.key() + ".";
    for (const auto& own : module.value()->named_parameters(false))
      entries.push_back({prefix + own.key(), own.value(), true});
    for (const auto& own : module.value()->named_buffers(false))
      entries.push_back({prefix + own.key(), own.value(), false});
  }
  return entries;
}

}  // namespace cleanclip
