// Converts bytes to the numbers that a model takes.
#pragma once

#include <cstdint>

namespace cleanclip::pixels {

// Writes (byte ÷ 255 − mean) ÷ deviation for each of `count` bytes, in single precision.
void normalise(const uint8_t* from, float* to, int64_t count, float mean, float deviation);

}  // namespace cleanclip::pixels
