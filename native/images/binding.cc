#include "images/binding.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <array>
#include <cmath>

#include "exports.h"
#include "images/augment.h"
#include "pixels/normalise.h"
#include "pixels/resize.h"
#include "tensor.h"

namespace cleanclip {

namespace {

constexpr int64_t kLongestSide = 1 << 20;  // pixels; affine() cannot address more

// Returns images, uint8 [..., 3, H, W] on the CPU; throws ArgumentError for other tensors.
const at::Tensor& imagesArg(const Napi::CallbackInfo& info) {
  const auto& images = tensorArg(info.Env(), info[0]);
  const bool bytes = images.scalar_type() == at::kByte && images.is_cpu() && images.layout() == at::kStrided;
  if (!bytes || images.dim() < 3 || images.size(-3) != 3)
    throw ArgumentError("Images uint8 [..., 3, H, W] on the CPU were expected here.");
  return images;
}

// Returns one image that has pixels, as contiguous uint8 [H, W, 3].
at::Tensor interleavedArg(const Napi::CallbackInfo& info) {
  const auto& image = imagesArg(info);
  if (image.dim() != 3 || image.numel() == 0) throw ArgumentError("One image [3, H, W] with pixels was expected here.");
  return image.permute({1, 2, 0}).contiguous();
}

std::vector<images::Step> stepsArg(const Napi::Value& value) {
  std::vector<images::Step> steps;
  const auto list = value.As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); i++) {
    const auto step = list.Get(i).As<Napi::Array>();
    const auto magnitude = step.Get(1u).ToNumber().DoubleValue();
    if (!std::isfinite(magnitude)) throw ArgumentError("A finite magnitude was expected here.");
    steps.push_back({step.Get(0u).ToString(), magnitude});
  }
  return steps;
}

// augmentImage(image, steps): a new image after the steps, each [name, magnitude]. Both images are uint8 [3, H, W] on
// the CPU; the new one is stored channels last.
napi_value augmentImage(const Napi::CallbackInfo& info) {
  const auto image = interleavedArg(info);
  if (image.size(0) > kLongestSide || image.size(1) > kLongestSide) {
    throw ArgumentError("An image of at most 1048576 pixels per side was expected here.");
  }
  return wrapTensor(info.Env(), images::augment(image, stepsArg(info[1])).permute({2, 0, 1}));
}

int64_t pixelsArg(const Napi::Value& value) {
  const auto pixels = value.ToNumber().DoubleValue();
  if (!(pixels >= 0 && pixels <= INT32_MAX)) throw ArgumentError("A number of pixels was expected here.");
  return static_cast<int64_t>(pixels);
}

// resizeImage(image, width, height, left, top, cropWidth, cropHeight, bilinear): resizes uint8 [3, H, W] to
// [3, height, width], bilinearly or bicubically. Returns the crop at (left, top), uint8 [3, cropHeight, cropWidth].
napi_value resizeImage(const Napi::CallbackInfo& info) {
  const auto image = interleavedArg(info);
  const pixels::Size target{pixelsArg(info[1]), pixelsArg(info[2])};
  const pixels::Crop crop{pixelsArg(info[3]), pixelsArg(info[4]), {pixelsArg(info[5]), pixelsArg(info[6])}};
  if (crop.size.pixels() == 0 || crop.left + crop.size.width > target.width ||
      crop.top + crop.size.height > target.height) {
    throw ArgumentError("A crop with pixels, inside the resized image, was expected here.");
  }
  const auto interpolation = info[7].ToBoolean() ? pixels::Interpolation::bilinear : pixels::Interpolation::bicubic;
  auto planes = at::empty({3, crop.size.height, crop.size.width}, at::kByte);
  pixels::resize(image.const_data_ptr<uint8_t>(), {image.size(1), image.size(0)}, target, crop, interpolation,
                 planes.mutable_data_ptr<uint8_t>());
  return wrapTensor(info.Env(), std::move(planes));
}

// normalizeImages(images, means, deviations): uint8 [..., 3, H, W] to float32 of the same shape:
// (byte ÷ 255 − mean) ÷ deviation, with one mean and one deviation per channel
napi_value normalizeImages(const Napi::CallbackInfo& info) {
  const auto images = imagesArg(info).contiguous();
  const auto channel = [&](size_t argument, int64_t i) {
    return info[argument].As<Napi::Array>().Get(static_cast<uint32_t>(i)).ToNumber().FloatValue();
  };
  std::array<float, 3> means, deviations;
  for (int64_t i = 0; i < 3; i++) {
    means[i] = channel(1, i);
    deviations[i] = channel(2, i);
  }
  auto result = at::empty(images.sizes(), at::kFloat);
  if (images.numel() == 0) return wrapTensor(info.Env(), std::move(result));
  const auto plane = images.size(-1) * images.size(-2);
  const auto* from = images.const_data_ptr<uint8_t>();
  auto* to = result.mutable_data_ptr<float>();
  at::parallel_for(0, images.numel() / plane, 3, [&](int64_t begin, int64_t end) {
    for (auto i = begin; i < end; i++)
      pixels::normalise(from + i * plane, to + i * plane, plane, means[i % 3], deviations[i % 3]);
  });
  return wrapTensor(info.Env(), std::move(result));
}

}  // namespace

void exportImages(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "augmentImage", augmentImage);
  exportFunction(exports, "resizeImage", resizeImage);
  exportFunction(exports, "normalizeImages", normalizeImages);
}

}  // namespace cleanclip
