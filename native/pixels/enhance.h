// The operations of PIL's `ImageEnhance` that read more than one byte per result. Factor 0 gives the grey or smoothed
// image, 1 the input; other factors interpolate between both or extrapolate.
#pragma once

#include "size.h"

namespace cleanclip::pixels {

// Returns the mean of the luma (ITU-R 601, 16-bit fixed point), rounded.
uint8_t meanGrey(const uint8_t* pixels, Size size);

// Blends each pixel with its luma (factor 0). `to` may be `from`.
void saturate(const uint8_t* from, uint8_t* to, Size size, float factor);

// Blends each pixel with the mean of 3×3 pixels, in which the centre counts five times (factor 0). The border does not
// change. `from` and `to` do not overlap.
void sharpen(const uint8_t* from, uint8_t* to, Size size, float factor);

}  // namespace cleanclip::pixels
