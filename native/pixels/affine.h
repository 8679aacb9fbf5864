// PIL's affine transform and the matrices of AutoAugment's operations.
#pragma once

#include <array>

#include "size.h"

namespace cleanclip::pixels {

// a, b, c, d, e, f: the result at (x, y) shows the input at (a·x + b·y + c, d·x + e·y + f). The centre of a pixel is at
// ½.
using Matrix = std::array<double, 6>;

// Returns the matrix of PIL's `Image.rotate`: counter-clockwise around the centre of the image. Sine and cosine are
// rounded to 15 decimals.
Matrix rotation(double degrees, Size size);

// Does PIL's `Image.transform(size, AFFINE, matrix)` with the nearest neighbour. Positions are multiples of 1/65536;
// pixels outside the input are black. A side has at most 2²⁰ pixels; `from` and `to` do not overlap.
void affine(const uint8_t* from, uint8_t* to, Size size, const Matrix& matrix);

}  // namespace cleanclip::pixels
