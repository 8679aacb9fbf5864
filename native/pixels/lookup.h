// Replaces each byte by the value that a table has for it.
#pragma once

#include <array>
#include <cstdint>

namespace cleanclip::pixels {

constexpr int kLevels = 256;

using Table = std::array<uint8_t, kLevels>;

// Looks up `count` bytes of pixels, in one table per channel; `to` may be `from`.
void lookUp(const uint8_t* from, uint8_t* to, int64_t count, const std::array<Table, 3>& tables);

// Looks up `count` numbers.
void lookUp(const uint8_t* from, float* to, int64_t count, const std::array<float, kLevels>& table);

}  // namespace cleanclip::pixels
