// The operations of PIL's `ImageEnhance` that look at more than one byte. Factor 1 changes nothing, others extrapolate.
#pragma once

#include "size.h"

namespace cleanclip::pixels {

// The mean of the luma (ITU-R 601, 16-bit fixed point), rounded.
uint8_t meanGrey(const uint8_t* pixels, Size size);

// Towards the luma of each pixel (factor 0). `to` may be `from`.
void saturate(const uint8_t* from, uint8_t* to, Size size, float factor);

// Towards the mean of 3×3 pixels in which the middle one counts five times (factor 0); the border stays. `from` and
// `to` do not overlap.
void sharpen(const uint8_t* from, uint8_t* to, Size size, float factor);

}  // namespace cleanclip::pixels
