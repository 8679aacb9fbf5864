#include "sequences.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/argsort.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace cleanclip {

at::Tensor Sequences::pad(const at::Tensor& rows) const {
  if (!places.defined()) return rows.unflatten(0, {count, length});
  return at::zeros({count * length, rows.size(1)}, rows.options())
      .index_copy_(0, places, rows)
      .unflatten(0, {count, length});
}

at::Tensor Sequences::unpad(const at::Tensor& x) const {
  return places.defined() ? x.flatten(0, 1).index_select(0, places) : x.flatten(0, 1);
}

at::Tensor Sequences::at_read(const at::Tensor& rows) const { return rows.index_select(0, read); }

namespace {

// Rounds the number of tokens up to the number of rows.
int64_t rounded(int64_t tokens, at::Device device) {
  int64_t step = 16;
  if (!device.is_cpu()) {
    while (32 * step <= tokens) step *= 2;
  }
  return (tokens + step - 1) / step * step;
}

}  // namespace

Sequences captions(const at::Tensor& ends, int64_t length, bool causal, bool packed, at::Device device) {
  const auto count = ends.size(0), all = count * length;
  const auto filled = at::arange(length, ends.options()).le(ends.unsqueeze(1));  // [count, length]
  const auto there = [device](const at::Tensor& t) { return t.to(device, /*non_blocking=*/true); };
  const auto tokens = packed ? (ends + 1).sum().item<int64_t>() : all;
  if (tokens == all) {
    const auto read = at::arange(count, ends.options()) * length + ends;
    return {.count = count,
            .length = length,
            .causal = causal,
            .read = there(read),
            .seen = causal ? there(filled) : at::Tensor(),
            .places = {}};
  }
  const auto rows = std::min(all, rounded(tokens, device));
  const auto places = at::argsort(filled.flatten(), /*stable=*/true, /*dim=*/0, /*descending=*/true)
                          .narrow(0, 0, rows);  // tokens, then padding
  const auto read = (ends + 1).cumsum(0) - 1;
  return {.count = count,
          .length = length,
          .causal = true,
          .read = there(read),
          .seen = there(filled),
          .places = there(places)};
}

Sequences images(int64_t count, int64_t length, at::Device device) {
  const auto read = at::arange(0, count * length, length, at::TensorOptions(device).dtype(at::kLong));
  return {.count = count, .length = length, .causal = false, .read = read, .seen = {}, .places = {}};
}

}  // namespace cleanclip
