// An image as PIL has it: bytes interleaved, [height, width, 3], without gaps.
#pragma once

#include <cstdint>

namespace cleanclip::pixels {

struct Size {
  int64_t width;
  int64_t height;

  int64_t pixels() const { return width * height; }
  int64_t bytes() const { return 3 * pixels(); }
};

}  // namespace cleanclip::pixels
