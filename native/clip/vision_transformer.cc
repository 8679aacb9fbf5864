#include "vision_transformer.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>

#include "config.h"

namespace cleanclip {

VisionTransformer::VisionTransformer(int64_t layers, int64_t width, int64_t patch_size, int64_t image_size,
                                     int64_t embed_dim) {
  const auto side = image_size / patch_size;
  class_embedding = register_parameter("class_embedding", at::empty(width));
  positional_embedding = register_parameter("positional_embedding", at::empty({side * side + 1, width}));
  proj = register_parameter("proj", at::empty({width, embed_dim}));
  conv1 = register_module("conv1", std::make_shared<Conv2d>(3, width, patch_size, patch_size));
  ln_pre = register_module("ln_pre", std::make_shared<LayerNorm>(width));
  transformer = register_module("transformer", std::make_shared<Transformer>(width, width / kHeadWidth, layers));
  ln_post = register_module("ln_post", std::make_shared<LayerNorm>(width));
}

at::Tensor VisionTransformer::forward(const at::Tensor& pixels) {
  const auto patches = conv1->forward(pixels.contiguous(at::MemoryFormat::ChannelsLast))
                           .flatten(2)
                           .transpose(1, 2);  // [B, patches, width]
  const auto batch = patches.size(0);
  const auto asking = class_embedding.to(patches.scalar_type()).expand({batch, 1, -1});
  const auto of = images(batch, positional_embedding.size(0), patches.device());
  const auto x = ln_pre->forward(of.together(at::cat({asking, patches}, 1) + positional_embedding));
  return at::matmul(ln_post->forward(transformer->forward(x, of)), proj);
}

}  // namespace cleanclip
