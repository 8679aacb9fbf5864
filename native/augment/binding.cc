#include "augment/binding.h"

#include <cmath>

#include "augment/augment.h"
#include "exports.h"
#include "tensor.h"

namespace cleanclip {

namespace {

constexpr int64_t kLongestSide = 1 << 20;  // of which affine() can tell positions

std::vector<augment::Step> stepsArg(const Napi::Value& value) {
  std::vector<augment::Step> steps;
  const auto list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) {
    const auto step = list.Get(i).As<Napi::Array>();
    const auto magnitude = step.Get(1u).ToNumber().DoubleValue();
    if (!std::isfinite(magnitude)) throw ArgumentError("A finite magnitude was expected here.");
    steps.push_back({step.Get(0u).ToString(), magnitude});
  }
  return steps;
}

// augment(image, steps): a new image after steps of [name, magnitude]; both uint8 [3, H, W], the new one stored channels last
napi_value applySteps(const Napi::CallbackInfo& info) {
  const auto& image = tensorArg(info.Env(), info[0]);
  const bool bytes = image.scalar_type() == at::kByte && image.is_cpu() && image.layout() == at::kStrided;
  if (!bytes || image.dim() != 3 || image.size(0) != 3 || image.numel() == 0) {
    throw ArgumentError("A uint8 image [3, H, W] on the CPU was expected here.");
  }
  if (image.size(1) > kLongestSide || image.size(2) > kLongestSide) {
    throw ArgumentError("An image of at most 1048576 pixels a side was expected here.");
  }
  const auto interleaved = image.permute({1, 2, 0}).contiguous();
  return wrapTensor(info.Env(), augment::augment(interleaved, stepsArg(info[1])).permute({2, 0, 1}));
}

}  // namespace

void exportAugment(Napi::Env, Napi::Object exports) { exportFunction(exports, "augment", applySteps); }

}  // namespace cleanclip
