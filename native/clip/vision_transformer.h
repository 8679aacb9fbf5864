#pragma once

#include "image_encoder.h"
#include "transformer.h"

namespace cleanclip {

// A ViT (Dosovitskiy et al. 2021) with a layer norm before its blocks, read at the class token.
struct VisionTransformer : ImageEncoder {
  VisionTransformer(int64_t layers, int64_t width, int64_t patch_size, int64_t image_size, int64_t embed_dim);
  at::Tensor forward(const at::Tensor& pixels) override;
  void set_checkpointing(bool on) override { transformer->checkpointing = on; }

  at::Tensor class_embedding;       // [width]
  at::Tensor positional_embedding;  // [1 + patches, width]
  at::Tensor proj;                  // [width, embed_dim]
  std::shared_ptr<Conv2d> conv1;
  std::shared_ptr<LayerNorm> ln_pre;
  std::shared_ptr<Transformer> transformer;
  std::shared_ptr<LayerNorm> ln_post;
};

}  // namespace cleanclip
