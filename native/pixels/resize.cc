#include "resize.h"

#include <algorithm>
#include <memory>
#include <tuple>
#include <vector>

#include "filter.h"
#include "vectorised.h"
#include "wide_resize.h"

namespace cleanclip::pixels {

namespace {

VECTORISED void addRow(const uint8_t* __restrict row, int32_t weight, int32_t* __restrict sums, int64_t length) {
  for (int64_t i = 0; i < length; i++) sums[i] += weight * row[i];
}

VECTORISED void cutRow(const int32_t* __restrict sums, uint8_t* __restrict to, int64_t length) {
  for (int64_t i = 0; i < length; i++) to[i] = static_cast<uint8_t>(std::clamp(sums[i] >> kWeightBits, 0, 255));
}

VECTORISED void splitRow(const uint8_t* __restrict from, uint8_t* __restrict red, uint8_t* __restrict green,
                         uint8_t* __restrict blue, int64_t width) {
  for (int64_t x = 0; x < width; x++) {
    red[x] = from[3 * x];
    green[x] = from[3 * x + 1];
    blue[x] = from[3 * x + 2];
  }
}

// Pillow filters columns first where that saves most. The order matters, because results are rounded to bytes between.
bool columnsFirst(Size size, Size target) {
  return target.height < size.height && size.height - target.height > 2 * (size.width - target.width);
}

// Filters the columns of an image whose rows have `length` bytes.
class ColumnFilter {
 public:
  ColumnFilter(const Filter& filter, int64_t length) : filter_(filter), sums_(length) {}

  // Computes row y of the result; `row(i)` returns row i of the image.
  template <typename Row>
  void apply(int64_t y, Row row, uint8_t* to) {
    const auto length = static_cast<int64_t>(sums_.size());
    std::fill(sums_.begin(), sums_.end(), 1 << (kWeightBits - 1));
    for (int64_t tap = 0; tap < filter_.taps; tap++) {
      const auto weight = filter_.weights[y * filter_.taps + tap];
      if (weight != 0) addRow(row(filter_.first[y] + tap), weight, sums_.data(), length);
    }
    cutRow(sums_.data(), to, length);
  }

 private:
  const Filter& filter_;
  std::vector<int32_t> sums_;
};

// What depends on sizes alone.
struct Plan {
  Plan(Size size, Size target, Crop crop, Interpolation interpolation)
      : size(size),
        target(target),
        crop(crop),
        interpolation(interpolation),
        across(interpolation, size.width, target.width, crop.left, crop.size.width),
        down(interpolation, size.height, target.height, crop.top, crop.size.height),
        narrow(across),
        wide({across, down, columnsFirst(size, target)}) {}
  Plan(const Plan&) = delete;

  bool isFor(Size otherSize, Size otherTarget, Crop otherCrop, Interpolation other) const {
    return size == otherSize && target == otherTarget && crop == otherCrop && interpolation == other;
  }

  const Size size, target;
  const Crop crop;
  const Interpolation interpolation;
  const Filter across, down;
  const RowFilter narrow;
  const WideResize wide;
};

// Returns the plan of this thread, which it keeps for the next image: often that has the same size.
const Plan& planOf(Size size, Size target, Crop crop, Interpolation interpolation) {
  thread_local std::unique_ptr<const Plan> last;
  if (!last || !last->isFor(size, target, crop, interpolation))
    last = std::make_unique<const Plan>(size, target, crop, interpolation);
  return *last;
}

}  // namespace

void resize(const uint8_t* from, Size size, Size target, Crop crop, Interpolation interpolation, uint8_t* planes) {
  const auto width = crop.size.width;
  const auto row = [&](int64_t y) { return from + 3 * y * size.width; };
  const auto finish = [&](int64_t y, const uint8_t* pixels) {
    auto* red = planes + y * width;
    splitRow(pixels, red, red + crop.size.pixels(), red + 2 * crop.size.pixels(), width);
  };
  if (target.width == size.width && target.height == size.height) {
    for (int64_t y = 0; y < crop.size.height; y++) finish(y, row(crop.top + y) + 3 * crop.left);
    return;
  }

  const auto& plan = planOf(size, target, crop, interpolation);
  if (plan.wide.fits()) return plan.wide.apply(from, size, planes);
  const auto& [across, down, narrow] = std::tie(plan.across, plan.down, plan.narrow);
  const auto used = 3 * (across.end - across.begin);
  std::vector<uint8_t> wide(used + 4 * across.taps), result(3 * width + 1);
  if (columnsFirst(size, target)) {
    ColumnFilter lower(down, used);
    for (int64_t y = 0; y < crop.size.height; y++) {
      lower.apply(y, [&](int64_t i) { return row(i) + 3 * across.begin; }, wide.data());
      narrow.apply(wide.data(), result.data());
      finish(y, result.data());
    }
    return;
  }

  ColumnFilter lower(down, 3 * width);
  std::vector<uint8_t> rows(down.taps * (3 * width + 1));  // a ring of the narrowed rows in use
  const auto narrowed = [&](int64_t y) { return rows.data() + y % down.taps * (3 * width + 1); };
  auto next = down.begin;
  for (int64_t y = 0; y < crop.size.height; y++) {
    for (const auto end = std::min(down.first[y] + down.taps, down.end); next < end; next++) {
      std::copy_n(row(next) + 3 * across.begin, used, wide.data());
      narrow.apply(wide.data(), narrowed(next));
    }
    lower.apply(y, narrowed, result.data());
    finish(y, result.data());
  }
}

}  // namespace cleanclip::pixels
