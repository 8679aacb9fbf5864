#include "clip.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>

#include "resnet.h"
#include "vision_transformer.h"

namespace cleanclip {

namespace {

std::shared_ptr<ImageEncoder> make_visual(const ClipConfig& c) {
  if (c.vision_layers.size() == 1) {
    return std::make_shared<VisionTransformer>(c.vision_layers[0], c.vision_width, c.patch_size, c.image_size,
                                               c.embed_dim);
  }
  return std::make_shared<ModifiedResNet>(c.vision_layers, c.vision_width, c.image_size, c.embed_dim);
}

// Unit rows, in float32 at least: half precisions are too coarse for similarities.
at::Tensor normalise(const at::Tensor& features) {
  const auto wide = at::isReducedFloatingType(features.scalar_type()) ? features.to(at::kFloat) : features;
  return wide / at::linalg_vector_norm(wide, 2, -1, true);
}

}  // namespace

Clip::Clip(const ClipConfig& config) {
  positional_embedding =
      register_parameter("positional_embedding", at::empty({config.context_length, config.text_width}));
  text_projection = register_parameter("text_projection", at::empty({config.text_width, config.embed_dim}));
  logit_scale = register_parameter("logit_scale", at::empty({}));
  visual = register_module("visual", make_visual(config));
  transformer = register_module(
      "transformer", std::make_shared<Transformer>(config.text_width, config.text_heads, config.text_layers));
  token_embedding =
      register_module("token_embedding", std::make_shared<Embedding>(config.vocabulary_size, config.text_width));
  ln_final = register_module("ln_final", std::make_shared<LayerNorm>(config.text_width));
}

at::Tensor Clip::encode_image(const at::Tensor& pixels) { return visual->forward(pixels.to(logit_scale.options())); }

at::Tensor Clip::encode_text(const at::Tensor& ids, bool pack) {
  const auto ends = ids.argmax(1);  // [B]
  const auto length = pack ? ends.max().item<int64_t>() + 1 : ids.size(1);
  const auto device = logit_scale.device();
  const auto of = captions(ends, length, pack, device);
  const auto rows = [&](const at::Tensor& by_place) { return of.together(by_place.unsqueeze(2).to(device, /*non_blocking=*/true)).squeeze(1); };
  const auto positions = at::arange(length, ids.options()).expand({ids.size(0), -1});
  const auto x = token_embedding->forward(rows(ids.narrow(1, 0, length))) + at::embedding(positional_embedding, rows(positions));
  return at::matmul(ln_final->forward(transformer->forward(x, of)), text_projection);  // from [B, text_width]
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
    for (const auto& own : module.value()->named_parameters(false)) entries.push_back({prefix + own.key(), own.value(), true});
    for (const auto& own : module.value()->named_buffers(false)) entries.push_back({prefix + own.key(), own.value(), false});
  }
  return entries;
}

}  // namespace cleanclip
