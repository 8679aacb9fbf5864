// The size of an image as PIL stores it: bytes [height, width, 3], interleaved and contiguous.
#pragma once

#include <cstdint>

namespace cleanclip::pixels {

struct Size {
  int64_t width;
  int64_t height;

  int64_t pixels() const { return width * height; }
  int64_t bytes() const { return 3 * pixels(); }
  bool operator==(const Size&) const = default;
};

}  // namespace cleanclip::pixels
