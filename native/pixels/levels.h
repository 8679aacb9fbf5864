// Operations that map each level (0–255) of a channel to another one, as in PIL's `ImageOps` and `ImageEnhance`.
#pragma once

#include <array>
#include <optional>

#include "lookup.h"
#include "size.h"

namespace cleanclip::pixels {

using Counts = std::array<uint32_t, kLevels>;

// Tables that depend on a magnitude alone.
Table inverted();
Table posterised(double bits);               // the bits to keep, 0–8
Table solarised(double threshold);           // inverts levels of at least `threshold`
Table blended(uint8_t start, float factor);  // factor 0 gives `start`, 1 changes nothing, others extrapolate

// Tables that depend on how often each level occurs.
Table stretched(const Counts& counts);  // the lowest level that occurs becomes 0, the highest 255
Table equalised(const Counts& counts);  // levels become equally frequent

// Collects consecutive operations on levels and applies them in one pass. A later operation gets the histogram that
// earlier ones produce.
class Levels {
 public:
  bool empty() const { return !changed_; }
  // Adds one table for all channels.
  void then(const Table& table);
  // Adds a table per channel, which `table` makes from the channel's counts. `pixels` is the image before all collected
  // operations.
  void then(Table (*table)(const Counts&), const uint8_t* pixels, Size size);
  // Applies all operations and forgets them; `to` may be `from`.
  void apply(const uint8_t* from, uint8_t* to, Size size);

 private:
  std::array<Table, 3> tables_;
  std::optional<std::array<Counts, 3>> counts_;  // of the image before the operations
  bool changed_ = false;
};

}  // namespace cleanclip::pixels
