#include "resnet.h"

#include <ATen/ops/avg_pool2d.h>

#include "checkpoint.h"

namespace cleanclip {

Bottleneck::Bottleneck(int64_t in, int64_t width, int64_t stride)
    : stride(stride),
      conv1(register_module("conv1", std::make_shared<Conv2d>(in, width, 1))),
      bn1(register_module("bn1", std::make_shared<BatchNorm2d>(width))),
      conv2(register_module("conv2", std::make_shared<Conv2d>(width, width, 3, 1, 1))),
      bn2(register_module("bn2", std::make_shared<BatchNorm2d>(width))),
      conv3(register_module("conv3", std::make_shared<Conv2d>(width, 4 * width, 1))),
      bn3(register_module("bn3", std::make_shared<BatchNorm2d>(4 * width))) {
  if (stride > 1 || in != 4 * width) {
    downsample = register_module("downsample", std::make_shared<Shortcut>(in, 4 * width));
  }
}

Bottleneck::Shortcut::Shortcut(int64_t in, int64_t out)
    : conv(register_module("0", std::make_shared<Conv2d>(in, out, 1))),
      bn(register_module("1", std::make_shared<BatchNorm2d>(out))) {}

at::Tensor Bottleneck::forward(const at::Tensor& x) {
  const auto average = [this](const at::Tensor& t) { return stride > 1 ? at::avg_pool2d(t, stride) : t; };
  auto y = bn1->forward(conv1->forward(x)).relu_();
  y = bn2->forward(conv2->forward(y)).relu_();
  y = bn3->forward(conv3->forward(average(y)));
  const auto shortcut = downsample ? downsample->bn->forward(downsample->conv->forward(average(x))) : x;
  return y.add_(shortcut).relu_();
}

ModifiedResNet::ModifiedResNet(const ClipConfig& config) {
  const auto width = config.vision.width;
  const auto& layers = config.vision_layers;
  conv1 = register_module("conv1", std::make_shared<Conv2d>(3, width / 2, 3, 2, 1));
  bn1 = register_module("bn1", std::make_shared<BatchNorm2d>(width / 2));
  conv2 = register_module("conv2", std::make_shared<Conv2d>(width / 2, width / 2, 3, 1, 1));
  bn2 = register_module("bn2", std::make_shared<BatchNorm2d>(width / 2));
  conv3 = register_module("conv3", std::make_shared<Conv2d>(width / 2, width, 3, 1, 1));
  bn3 = register_module("bn3", std::make_shared<BatchNorm2d>(width));
  int64_t in = width;
  for (size_t stage = 0; stage < layers.size(); stage++) {
    const auto stage_width = width << stage;
    auto blocks = register_module("layer" + std::to_string(stage + 1), std::make_shared<BlockList<Bottleneck>>());
    for (int64_t block = 0; block < layers[stage]; block++) {
      blocks->add(in, stage_width, stage > 0 && block == 0 ? 2 : 1);
      in = 4 * stage_width;
    }
    stages.push_back(blocks);
  }
  attnpool = register_module(
      "attnpool", std::make_shared<AttentionPool2d>(config.image_size / 32, in, config.vision.heads, config.embed_dim));
}

at::Tensor ModifiedResNet::forward(const at::Tensor& pixels) {
  auto x = pixels.contiguous(at::MemoryFormat::ChannelsLast);
  x = bn1->forward(conv1->forward(x)).relu_();  // [B, width/2, S/2, S/2]
  x = bn2->forward(conv2->forward(x)).relu_();
  x = bn3->forward(conv3->forward(x)).relu_();
  x = at::avg_pool2d(x, 2);  // [B, width, S/4, S/4]
  for (const auto& stage : stages) {
    for (const auto& block : stage->blocks) {
      const Block forward = [block](const at::Tensor& input) { return block->forward(input); };
      x = checkpointing ? checkpoint(forward, x) : forward(x);
    }
  }
  return attnpool->forward(x);  // [B, 32·width, S/32, S/32] -> [B, embed_dim]
}

}  // namespace cleanclip
