#pragma once

#include <cstdint>
#include <vector>

namespace cleanclip {

// The sizes of a CLIP. Both transformers and the attention pool have heads of 64 features unless text_heads says otherwise.
struct ClipConfig {
  int64_t embed_dim;
  int64_t image_size;                  // pixels of a side
  std::vector<int64_t> vision_layers;  // four stages: a ModifiedResNet; one number: a VisionTransformer of that depth
  int64_t vision_width;
  int64_t patch_size;  // pixels of a side; VisionTransformer only
  int64_t context_length;
  int64_t vocabulary_size;
  int64_t text_width;
  int64_t text_heads;
  int64_t text_layers;
};

constexpr int64_t kHeadWidth = 64;

}  // namespace cleanclip
