// PIL's affine transform and the matrices of AutoAugment's operations.
#pragma once

#include <array>

#include "size.h"

namespace cleanclip::pixels {

// a, b, c, d, e, f: the result at (x, y) shows the input at (a·x + b·y + c, d·x + e·y + f), where pixels have their
// centre at ½.
using Matrix = std::array<double, 6>;

// The matrix of PIL's `Image.rotate`: counter-clockwise about the middle, sine and cosine rounded to 15 decimals.
Matrix rotation(double degrees, Size size);

// PIL's `Image.transform(size, AFFINE, matrix)`, nearest neighbour: positions in multiples of 1/65536, black where
// nothing falls. No side of the image has more than 2²⁰ pixels; `from` and `to` do not overlap.
void affine(const uint8_t* from, uint8_t* to, Size size, const Matrix& matrix);

}  // namespace cleanclip::pixels
