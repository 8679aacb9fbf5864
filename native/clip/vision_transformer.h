#pragma once

#include "image_encoder.h"
#include "transformer.h"

namespace cleanclip {

// A ViT (Dosovitskiy et al. 2021), as a rule with a layer norm before its blocks. The feature is taken at the class
// token, or it is the mean of the patches.
struct VisionTransformer : ImageEncoder {
  explicit VisionTransformer(const ClipConfig& config);
  at::Tensor forward(const at::Tensor& pixels) override;
  void set_checkpointing(bool on) override { transformer->checkpointing = on; }

  bool mean_pool, norm_after_pool;
  at::Tensor class_embedding;       // [width]
  at::Tensor positional_embedding;  // [1 + patches, width]
  at::Tensor proj;                  // [width, embed_dim]
  std::shared_ptr<Conv2d> conv1;
  std::shared_ptr<LayerNorm> ln_pre;  // or none
  std::shared_ptr<Transformer> transformer;
  std::shared_ptr<LayerNorm> ln_post;

 private:
  at::Tensor pooled(const at::Tensor& x, const Sequences& sequences) const;  // [rows, width] -> [count, width]
};

}  // namespace cleanclip
