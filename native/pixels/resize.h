// PIL's antialiased resize, to the byte.
#pragma once

#include "filter.h"
#include "size.h"

namespace cleanclip::pixels {

// A rectangle of an image.
struct Crop {
  int64_t left;
  int64_t top;
  Size size;

  bool operator==(const Crop&) const = default;
};

// Does PIL's `Image.resize(target, BICUBIC)`, or `BILINEAR`, but computes only the crop. Writes it to `planes`, uint8
// [3, crop height, crop width].
void resize(const uint8_t* from, Size size, Size target, Crop crop, Interpolation interpolation, uint8_t* planes);

}  // namespace cleanclip::pixels
