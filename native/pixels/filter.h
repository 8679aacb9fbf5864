// PIL's bicubic and bilinear filters along one side of an image: their weights, and their application to a row.
#pragma once

#include <cstdint>
#include <vector>

namespace cleanclip::pixels {

constexpr int kWeightBits = 22;

enum class Interpolation { bicubic, bilinear };

// The filter for a side that is resized from `length` to `target` pixels. It has the weights of `count` pixels of the
// result, from the one at `start` on.
struct Filter {
  Filter(Interpolation interpolation, int64_t length, int64_t target, int64_t start, int64_t count);

  int64_t count;
  int64_t begin = 0, end = 0;    // the range of the input pixels that are used
  int64_t taps;                  // weights per pixel, a multiple of 4; those that are not needed are 0
  std::vector<int64_t> first;    // [count] the input pixel of each first weight
  std::vector<int32_t> weights;  // [count · taps] in units of 2⁻²²

 private:
  template <typename Kernel>
  void weigh(Kernel kernel, double radius, int64_t length, int64_t target, int64_t start);
};

// Filters one row. `row` holds 3 bytes for each input pixel from filter.begin on, and 4 · taps more bytes that may be
// read. `to` has room for 3 bytes per pixel and one byte more.
class RowFilter {
 public:
  explicit RowFilter(const Filter& filter);
  void apply(const uint8_t* row, uint8_t* to) const;

 private:
  const Filter& filter_;
  std::vector<int16_t> parts_;  // weights for AVX2; empty where there is none
};

}  // namespace cleanclip::pixels
