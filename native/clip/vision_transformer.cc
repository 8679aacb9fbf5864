#include "vision_transformer.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>

namespace cleanclip {

VisionTransformer::VisionTransformer(const ClipConfig& config)
    : mean_pool(config.mean_pool), norm_after_pool(config.norm_after_pool) {
  const auto width = config.vision.width, patch_size = config.patch_size;
  const auto side = config.image_size / patch_size;
  class_embedding = register_parameter("class_embedding", at::empty(width));
  positional_embedding = register_parameter("positional_embedding", at::empty({side * side + 1, width}));
  proj = register_parameter("proj", at::empty({width, config.embed_dim}));
  conv1 = register_module("conv1", std::make_shared<Conv2d>(3, width, patch_size, patch_size));
  if (config.pre_norm) ln_pre = register_module("ln_pre", std::make_shared<LayerNorm>(width));
  transformer = register_module("transformer", std::make_shared<Transformer>(config.vision, config.vision_layers[0]));
  ln_post = register_module("ln_post", std::make_shared<LayerNorm>(width));
}

at::Tensor VisionTransformer::forward(const at::Tensor& pixels) {
  const auto patches = conv1->forward(pixels.contiguous(at::MemoryFormat::ChannelsLast))
                           .flatten(2)
                           .transpose(1, 2);  // [B, patches, width]
  const auto batch = patches.size(0);
  const auto asking = class_embedding.to(patches.scalar_type()).expand({batch, 1, -1});
  const auto sequences = images(batch, positional_embedding.size(0), patches.device());
  const auto x = sequences.unpad(at::cat({asking, patches}, 1) + positional_embedding);
  return at::matmul(pooled(ln_pre ? ln_pre->forward(x) : x, sequences), proj);
}

at::Tensor VisionTransformer::pooled(const at::Tensor& x, const Sequences& sequences) const {
  if (!mean_pool) return ln_post->forward(transformer->forward(x, sequences));
  const auto patches = sequences.pad(transformer->forward_all(x, sequences))
                           .narrow(1, 1, sequences.length - 1);  // [count, patches, width]
  return norm_after_pool ? ln_post->forward(patches.mean(1)) : ln_post->forward(patches).mean(1);
}

}  // namespace cleanclip
