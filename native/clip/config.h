#pragma once

#include <cstdint>
#include <vector>

namespace cleanclip {

// The sizes of a transformer's blocks, and their variants.
struct BlockConfig {
  int64_t width;  // features of a token
  int64_t heads;
  int64_t hidden;    // features inside of an MLP
  bool quick;        // x·σ(1.702x) (QuickGELU) instead of x·Φ(x) (GELU)
  bool layer_scale;  // each branch has a learned factor a feature
};

enum class TextPool { argmax, eos, first, last };

// The sizes of a CLIP model, and the variants of its architecture.
struct ClipConfig {
  int64_t embed_dim;
  int64_t image_size;                  // pixels of a side
  std::vector<int64_t> vision_layers;  // four stages: a ModifiedResNet; one number: a VisionTransformer of that depth
  BlockConfig vision;                  // of a ModifiedResNet the width and the attention pool's heads count
  int64_t patch_size;                  // pixels of a side; VisionTransformer only
  bool pre_norm;                       // VisionTransformer only: ln_pre before its blocks
  bool mean_pool;        // VisionTransformer only: the feature is the mean of the patches, not the class token
  bool norm_after_pool;  // ln_post of the mean, not the mean of ln_post
  int64_t context_length;
  int64_t vocabulary_size;
  BlockConfig text;
  int64_t text_layers;
  TextPool text_pool;
  int64_t eos_id;  // what TextPool::eos looks for
  bool causal;     // no token sees a later one
  bool projection_bias;
  bool logit_bias;
};

}  // namespace cleanclip
