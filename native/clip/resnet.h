#pragma once

#include "attention_pool.h"
#include "config.h"
#include "image_encoder.h"

namespace cleanclip {

// A bottleneck: 1×1, 3×3 and 1×1 convolutions beside a shortcut. It averages before a stride (anti-aliasing).
struct Bottleneck : torch::nn::Module {
  Bottleneck(int64_t in, int64_t width, int64_t stride);
  at::Tensor forward(const at::Tensor& x);  // [B, in, H, W] -> [B, 4·width, H/stride, W/stride]

  int64_t stride;
  std::shared_ptr<Conv2d> conv1;
  std::shared_ptr<BatchNorm2d> bn1;
  std::shared_ptr<Conv2d> conv2;
  std::shared_ptr<BatchNorm2d> bn2;
  std::shared_ptr<Conv2d> conv3;
  std::shared_ptr<BatchNorm2d> bn3;

  struct Shortcut : torch::nn::Module {
    Shortcut(int64_t in, int64_t out);

    std::shared_ptr<Conv2d> conv;
    std::shared_ptr<BatchNorm2d> bn;
  };
  std::shared_ptr<Shortcut> downsample;  // none where input and output have the same shape
};

// CLIP's ResNet-D: a stem of three convolutions, anti-aliased strides, attention pooling (Radford et al. 2021,
// section 2.4).
struct ModifiedResNet : ImageEncoder {
  explicit ModifiedResNet(const ClipConfig& config);
  at::Tensor forward(const at::Tensor& pixels) override;
  void set_checkpointing(bool on) override { checkpointing = on; }

  bool checkpointing = false;
  std::shared_ptr<Conv2d> conv1;
  std::shared_ptr<BatchNorm2d> bn1;
  std::shared_ptr<Conv2d> conv2;
  std::shared_ptr<BatchNorm2d> bn2;
  std::shared_ptr<Conv2d> conv3;
  std::shared_ptr<BatchNorm2d> bn3;
  std::vector<std::shared_ptr<BlockList<Bottleneck>>> stages;  // layer1 … layer4
  std::shared_ptr<AttentionPool2d> attnpool;
};

}  // namespace cleanclip
