// Unpacks what image files pack without zlib. No function reads or writes beyond the bytes that it is given.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cleanclip::pixels {

struct Bytes {
  const uint8_t* data;
  size_t length;
};

// Undoes PNG's filters in place, in rows of `rowBytes`, each after the byte of its filter. Stops at a row with an
// unknown filter. Returns the number of rows done, 0 when PNG has no pixel of `pixelBytes`.
int64_t unfilter(uint8_t* rows, int64_t count, int64_t rowBytes, int64_t pixelBytes);

// Undoes TIFF's horizontal differencing in place, for `count` rows of pixels with `samples` samples of 8, 16 or 32
// bits.
void undoDifferences(uint8_t* rows, int64_t count, int64_t rowBytes, int samples, int bits, bool bigEndian);

// Unpacks the LZW blocks of a GIF's frame to `width` × `height` indices, row by row. Indices for which there are no
// blocks stay as they are.
void unpackGif(Bytes from, int bits, bool interlaced, int64_t width, int64_t height, uint8_t* to);

// Unpack TIFF's LZW and PackBits; return false unless they fill all `room` bytes.
bool unpackTiffLzw(Bytes from, uint8_t* to, size_t room);
bool unpackPackBits(Bytes from, uint8_t* to, size_t room);

// Unpacks the run-length encoded indices of a BMP, from byte `at` of the file on, to one byte per pixel. Indices have 4
// bits with `nibbles`, else 8. Returns false unless they fill the picture.
bool unpackBmpRle(Bytes file, size_t at, bool nibbles, int64_t width, int64_t height, uint8_t* to);

// Unpacks the numbers of a plain Netpbm file to 16 bits each, lowest byte first; with `bits`, its digits 0 and 1.
// Returns false for fewer than `count` numbers, for other characters, and for numbers above `largest`.
bool unpackPlain(Bytes from, bool bits, uint32_t largest, int64_t count, uint8_t* to);

}  // namespace cleanclip::pixels
