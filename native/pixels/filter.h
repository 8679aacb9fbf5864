// Which neighbours PIL's bicubic or bilinear filter weighs along one side of an image, and the weighing of a row's.
#pragma once

#include <cstdint>
#include <vector>

namespace cleanclip::pixels {

constexpr int kWeightBits = 22;

enum class Interpolation { bicubic, bilinear };

// The filter of `count` pixels from the one at `start`, of a side that is resized from `length` to `target` pixels.
struct Filter {
  Filter(Interpolation interpolation, int64_t length, int64_t target, int64_t start, int64_t count);

  int64_t count;
  int64_t begin = 0, end = 0;    // the pixels that matter
  int64_t taps;                  // weights a pixel, a multiple of 4; those that are not needed are 0
  std::vector<int64_t> first;    // [count] the pixel that a pixel's first weight is for
  std::vector<int32_t> weights;  // [count · taps] in units of 2⁻²²

 private:
  template <typename Kernel>
  void weigh(Kernel kernel, double radius, int64_t length, int64_t target, int64_t start);
};

// Filters one row: `row` has 3 bytes for each pixel from filter.begin on, and 4 · taps bytes more that can be read;
// `to` has room for 3 bytes a pixel and for one byte more.
class RowFilter {
 public:
  explicit RowFilter(const Filter& filter);
  void apply(const uint8_t* row, uint8_t* to) const;

 private:
  const Filter& filter_;
  std::vector<int16_t> parts_;  // weights for AVX2; empty where there is none
};

}  // namespace cleanclip::pixels
