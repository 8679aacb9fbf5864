#include "normalise.h"

#include <array>

#include "lookup.h"

namespace cleanclip::pixels {

void normalise(const uint8_t* from, float* to, int64_t count, float mean, float deviation) {
  std::array<float, kLevels> values;
  for (int byte = 0; byte < kLevels; byte++) values[byte] = (static_cast<float>(byte) / 255 - mean) / deviation;
  lookUp(from, to, count, values);
}

}  // namespace cleanclip::pixels
