// Unpacks what image files pack without zlib. All of it stays within the bytes and the room given.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cleanclip::pixels {

struct Bytes {
  const uint8_t* data;
  size_t length;
};

// Undoes PNG's filters in place: rows of `rowBytes`, each after the byte of its filter. Returns how many rows have a
// filter that is known.
int64_t unfilter(uint8_t* rows, int64_t count, int64_t rowBytes, int64_t pixelBytes);

// Undoes TIFF's horizontal differencing in place, in rows of `samples` that lie side by side.
void undoDifferences(uint8_t* rows, int64_t count, int64_t rowBytes, int samples, int bits, bool bigEndian);

// The indices of a GIF's frame from its LZW blocks, by rows, to `width` × `height` bytes; what the blocks end before is
// left as it is.
void unpackGif(Bytes from, int bits, bool interlaced, int64_t width, int64_t height, uint8_t* to);

// TIFF's LZW and PackBits; false unless they fill all `room` bytes.
bool unpackTiffLzw(Bytes from, uint8_t* to, size_t room);
bool unpackPackBits(Bytes from, uint8_t* to, size_t room);

// A BMP's indices, run-length encoded with 8 or 4 bits a pixel from byte `at` of the file, to a byte each; false unless
// they fill the picture.
bool unpackBmpRle(Bytes file, size_t at, bool nibbles, int64_t width, int64_t height, uint8_t* to);

// The numbers of a plain Netpbm file, to 16 bits each, lowest byte first; with `bits`, its digits 0 and 1.
// False for fewer than `count`, for other signs, and for numbers above `largest`.
bool unpackPlain(Bytes from, bool bits, uint32_t largest, int64_t count, uint8_t* to);

}  // namespace cleanclip::pixels
