#include "pixels.h"

#include <ATen/ops/empty_like.h>

#include <array>

#include "exports.h"
#include "tensor.h"

namespace cleanclip {

namespace {

constexpr size_t kLevels = 256;
constexpr size_t kTables = 3 * kLevels;  // one for each channel

at::Tensor interleaved(const Napi::CallbackInfo& info) {
  const auto& image = tensorArg(info.Env(), info[0]);
  if (image.scalar_type() != at::kByte || !image.is_cpu() || image.dim() != 3 || image.size(2) != 3) {
    throw ArgumentError("A uint8 image [H, W, 3] on the CPU was expected here.");
  }
  return image.contiguous();
}

// channelHistograms(image): how often each level occurs, Uint32Array [3 · 256]
napi_value channelHistograms(const Napi::CallbackInfo& info) {
  const auto image = interleaved(info);
  const auto* bytes = image.const_data_ptr<uint8_t>();
  std::array<std::array<uint32_t, kTables>, 2> counts{};  // in turn: equal neighbours would wait for one another
  const auto pixels = image.numel() / 3;
  for (int64_t i = 0; i < pixels; i++, bytes += 3) {
    auto& own = counts[i % 2];
    own[bytes[0]]++;
    own[kLevels + bytes[1]]++;
    own[2 * kLevels + bytes[2]]++;
  }
  auto sums = Napi::Uint32Array::New(info.Env(), kTables);
  for (size_t level = 0; level < kTables; level++) sums[level] = counts[0][level] + counts[1][level];
  return sums;
}

// lookupChannels(image, tables): a new image of what the tables [3 · 256] have for each byte
napi_value lookupChannels(const Napi::CallbackInfo& info) {
  const auto image = interleaved(info);
  const auto given = info[1].As<Napi::Uint8Array>();
  if (given.ElementLength() != kTables) throw ArgumentError("Three tables of 256 levels were expected here.");
  std::array<uint8_t, kTables> tables;
  std::copy_n(given.Data(), kTables, tables.begin());
  auto result = at::empty_like(image);
  const auto* from = image.const_data_ptr<uint8_t>();
  auto* to = result.mutable_data_ptr<uint8_t>();
  for (const auto* end = from + image.numel(); from != end; from += 3, to += 3) {
    to[0] = tables[from[0]];
    to[1] = tables[kLevels + from[1]];
    to[2] = tables[2 * kLevels + from[2]];
  }
  return wrapTensor(info.Env(), std::move(result));
}

}  // namespace

void exportPixels(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "channelHistograms", channelHistograms);
  exportFunction(exports, "lookupChannels", lookupChannels);
}

}  // namespace cleanclip
