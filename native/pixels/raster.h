// Samples of a picture, as its file has them, to RGB bytes: what PIL's raw decoder and its `convert('RGB')` do.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "size.h"

namespace cleanclip::pixels {

// A rectangle of the picture whose rows lie one after another among the bytes.
struct Piece {
  int64_t x, y, width, height;     // in the picture as stored
  int64_t stepX, stepY;            // from one pixel of the piece to the next in the picture
  int64_t stride;                  // bytes from row to row
  std::array<int64_t, 4> offsets;  // of the first row, for each sample
};

struct Raster {
  enum class Samples { kUnsigned, kSigned32, kFloat32 };
  enum class Colours { kRgb, kCmyk, kYcbcr, kPremultiplied };

  Size size;            // as stored
  int orientation = 1;  // TIFF's: how the picture is turned before it is shown
  int bits = 8;         // a sample: 1, 2, 4, 8, 16, 24 or 32
  Samples samples = Samples::kUnsigned;
  Colours colours = Colours::kRgb;
  bool bigEndian = false;
  bool reversed = false;              // the lowest bit of each byte comes first
  int64_t step = 0;                   // bits from pixel to pixel
  std::array<int64_t, 4> bitOffsets;  // of each sample from the pixel's first bit
  std::vector<uint8_t> tables;        // for each sample a byte for each of its values, 256 or 65,536; none for 32 bits
  std::array<uint8_t, 3> blank;       // the colour where no piece is, and of rows that the bytes end before
  std::vector<Piece> pieces;

  int channels() const { return colours == Colours::kRgb || colours == Colours::kYcbcr ? 3 : 4; }
  Size shown() const { return orientation > 4 ? Size{size.height, size.width} : size; }
  // Whether all numbers are such that no sum of them overflows, and the tables are whole.
  bool sound() const;
};

// Writes the picture to `rgb`, which has room for shown().bytes(). Returns how many pixels of pieces are missing.
int64_t toRgb(const Raster& raster, const uint8_t* bytes, size_t length, uint8_t* rgb);

}  // namespace cleanclip::pixels
