// Converts the samples of a picture, as its file stores them, to RGB bytes, as PIL's raw decoder and `convert('RGB')`
// do.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "size.h"

namespace cleanclip::pixels {

// A rectangle of the picture whose rows follow one another in the bytes of the file.
struct Piece {
  int64_t x, y, width, height;     // in the picture as stored
  int64_t stepX, stepY;            // pixels of the picture from one pixel of the piece to the next
  int64_t stride;                  // bytes from row to row
  std::array<int64_t, 4> offsets;  // bytes before the first row, for each sample
};

struct Raster {
  enum class Samples { kUnsigned, kSigned32, kFloat32 };
  enum class Colours { kRgb, kCmyk, kYcbcr, kPremultiplied };

  Size size;            // as stored
  int orientation = 1;  // TIFF's number, 1–8: how the picture is turned before it is shown
  int bits = 8;         // per sample: 1, 2, 4, 8, 16 or 32
  Samples samples = Samples::kUnsigned;
  Colours colours = Colours::kRgb;
  bool bigEndian = false;
  bool reversed = false;              // the lowest bit of each byte comes first
  int64_t step = 0;                   // bits from pixel to pixel
  std::array<int64_t, 4> bitOffsets;  // of each sample from the pixel's first bit
  std::vector<uint8_t> tables;        // for each sample, a byte for each of 256 or 65,536 values; none for 32 bits
  std::array<uint8_t, 3> blank;       // the colour of pixels without a piece, and of rows without bytes
  std::vector<Piece> pieces;

  int channels() const { return colours == Colours::kRgb || colours == Colours::kYcbcr ? 3 : 4; }
  Size shown() const { return orientation > 4 ? Size{size.height, size.width} : size; }
  // Whether the tables are complete, and all numbers are so small that no sum of them overflows.
  bool sound() const;
};

// Writes the picture to `rgb`, which has room for shown().bytes(). Returns the number of pixels of pieces for which
// `bytes` has no whole row.
int64_t toRgb(const Raster& raster, const uint8_t* bytes, size_t length, uint8_t* rgb);

}  // namespace cleanclip::pixels
