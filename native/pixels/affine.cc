#include "affine.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numbers>

namespace cleanclip::pixels {

namespace {

constexpr int kFraction = 16;  // bits

// Converts to fixed point. Values are clamped beyond the largest image, where all are outside, so that no sum
// overflows.
int64_t fixed(double value) {
  constexpr double furthest = 1 << 26;
  return static_cast<int64_t>(std::floor(std::clamp(value, -furthest, furthest) * (1 << kFraction) + 0.5));
}

int64_t ceilDivide(int64_t value, int64_t positive) {
  return value > 0 ? (value - 1) / positive + 1 : value / positive;
}

struct Range {
  int64_t begin;
  int64_t end;
};

// Returns the part of `columns` for which start + column · step is within [0, length).
Range inside(int64_t start, int64_t step, int64_t length, Range columns) {
  if (step == 0) return start >= 0 && start < length ? columns : Range{columns.begin, columns.begin};
  if (step < 0) return inside(length - 1 - start, -step, length, columns);
  const auto begin = std::clamp(ceilDivide(-start, step), columns.begin, columns.end);
  return {begin, std::clamp(ceilDivide(length - start, step), begin, columns.end)};
}

}  // namespace

Matrix rotation(double degrees, Size size) {
  const auto rounded = [](double value) { return std::round(value * 1e15) / 1e15; };
  const auto positive = std::fmod(std::fmod(degrees, 360) + 360, 360);
  const auto angle = -positive * (std::numbers::pi / 180);
  const auto cos = rounded(std::cos(angle)), sin = rounded(std::sin(angle));
  const auto x = static_cast<double>(size.width) / 2, y = static_cast<double>(size.height) / 2;
  return {cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y};
}

void affine(const uint8_t* from, uint8_t* to, Size size, const Matrix& matrix) {
  const auto [a, b, c, d, e, f] = matrix;
  const auto xAlong = fixed(a), xDown = fixed(b), yAlong = fixed(d), yDown = fixed(e);
  auto rowX = fixed(c + a * 0.5 + b * 0.5), rowY = fixed(f + d * 0.5 + e * 0.5);
  for (int64_t row = 0; row < size.height; row++, rowX += xDown, rowY += yDown, to += 3 * size.width) {
    const auto columns =
        inside(rowY, yAlong, size.height << kFraction, inside(rowX, xAlong, size.width << kFraction, {0, size.width}));
    auto x = rowX + columns.begin * xAlong, y = rowY + columns.begin * yAlong;
    for (auto *pixel = to + 3 * columns.begin, *end = to + 3 * columns.end; pixel != end;
         pixel += 3, x += xAlong, y += yAlong) {
      std::memcpy(pixel, from + 3 * ((y >> kFraction) * size.width + (x >> kFraction)), 3);
    }
    std::fill(to, to + 3 * columns.begin, 0);
    std::fill(to + 3 * columns.end, to + 3 * size.width, 0);
  }
}

}  // namespace cleanclip::pixels
