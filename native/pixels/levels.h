// The operations that give each level of a channel another, as PIL's `ImageOps` and `ImageEnhance` do.
#pragma once

#include <array>
#include <optional>

#include "size.h"

namespace cleanclip::pixels {

constexpr int kLevels = 256;

using Table = std::array<uint8_t, kLevels>;
using Counts = std::array<uint32_t, kLevels>;

// Tables that depend on nothing but a magnitude.
Table inverted();
Table posterised(double bits);               // the bits to keep, 0–8
Table solarised(double threshold);           // levels from there on are inverted
Table blended(uint8_t start, float factor);  // factor 0 gives `start`, 1 changes nothing, others extrapolate

// Tables that follow from how often each level occurs.
Table stretched(const Counts& counts);  // the lowest that occurs becomes 0, the highest 255
Table equalised(const Counts& counts);  // levels become equally frequent

// Operations on levels in a row, applied in one pass: a later one sees what an earlier one makes of the histogram.
class Levels {
 public:
  bool empty() const { return !changed_; }
  void then(const Table& table);
  // `table` of each channel's counts in the image at `pixels`, which the operations before this one have not been
  // applied to yet
  void then(Table (*table)(const Counts&), const uint8_t* pixels, Size size);
  // Applies them all, and forgets them; `to` may be `from`.
  void apply(const uint8_t* from, uint8_t* to, Size size);

 private:
  std::array<Table, 3> tables_;
  std::optional<std::array<Counts, 3>> counts_;  // of the image before the operations
  bool changed_ = false;
};

}  // namespace cleanclip::pixels
