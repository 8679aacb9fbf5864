#include "normalise.h"

#include <algorithm>
#include <array>

namespace cleanclip::pixels {

void normalise(const uint8_t* from, float* to, int64_t count, float mean, float deviation) {
  std::array<float, 256> values;
  for (int byte = 0; byte < 256; byte++) values[byte] = (static_cast<float>(byte) / 255 - mean) / deviation;
  std::transform(from, from + count, to, [&](uint8_t byte) { return values[byte]; });
}

}  // namespace cleanclip::pixels
