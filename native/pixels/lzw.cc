#include <algorithm>
#include <array>
#include <cstring>
#include <memory>

#include "unpack.h"

namespace cleanclip::pixels {

namespace {

constexpr int kCodes = 4096;

// The strings of an LZW dictionary. Each string lies within the output: it is an earlier string and one more byte.
class Strings {
 public:
  Strings(uint8_t* to, size_t room) : to(to), room(room) {}

  bool full() const { return done == room; }
  size_t length() const { return done; }

  void putByte(int byte) {
    start = done;
    to[done++] = static_cast<uint8_t>(byte);
  }

  // Puts out the string of this code, as far as there is room.
  void put(int code) {
    const auto count = std::min<size_t>(lengths[code], room - done);
    const auto* from = to + starts[code];
    auto* place = to + done;
    start = done;
    done += count;
    if (from + count <= place)
      std::memcpy(place, from, count);
    else
      for (size_t i = 0; i < count; i++) place[i] = from[i];  // overlaps: the string before, then its own first byte
  }

  // Adds an entry to the dictionary: the string before and the byte after it, which the next string will write.
  void keep(int code) {
    starts[code] = start;
    lengths[code] = static_cast<uint16_t>(done - start + 1);
  }

 private:
  uint8_t* to;
  const size_t room;
  size_t done = 0, start = 0;  // start: of the string before
  std::array<size_t, kCodes> starts;
  std::array<uint16_t, kCodes> lengths;
};

// Copies the rows of an interlaced frame, which come in four passes, to their places.
void interlace(const uint8_t* from, size_t length, int64_t width, int64_t height, uint8_t* to) {
  constexpr std::array<std::array<int, 2>, 4> passes{{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
  for (const auto& [first, step] : passes) {
    for (int64_t y = first; y < height && length > 0; y += step) {
      const auto count = std::min(length, static_cast<size_t>(width));
      std::memcpy(to + y * width, from, count);
      from += count;
      length -= count;
    }
  }
}

// Unpacks the blocks of a GIF's frame, with codes of `bits` + 1 bits at first. Returns the number of indices.
size_t unpackBlocks(Bytes from, int bits, uint8_t* to, size_t room) {
  const auto strings = std::make_unique<Strings>(to, room);
  const int clear = 1 << bits, end = clear + 1;
  int size = bits + 1, next = end + 1;
  bool fresh = true;  // the next string has none before it
  uint32_t buffer = 0;
  int held = 0;
  size_t at = 0, block = 0;
  while (!strings->full()) {
    while (held < size) {
      while (block == 0) {
        if (at >= from.length || at + from.data[at] + 1 > from.length)
          return strings->length();  // an incomplete block does not count
        block = from.data[at++];
      }
      buffer |= static_cast<uint32_t>(from.data[at++]) << held;
      held += 8;
      block--;
    }
    const int code = static_cast<int>(buffer & ((1u << size) - 1));
    buffer >>= size;
    held -= size;
    if (code == end) break;
    if (code == clear) {
      size = bits + 1;
      next = end + 1;
      fresh = true;
      continue;
    }
    if (code > (fresh ? clear : next)) break;
    if (!fresh && next < kCodes) {
      strings->keep(next);
      if (next == (1 << size) - 1 && size < 12) size++;
      next++;
    }
    fresh = false;
    if (code < clear)
      strings->putByte(code);
    else
      strings->put(code);
  }
  return strings->length();
}

}  // namespace

void unpackGif(Bytes from, int bits, bool interlaced, int64_t width, int64_t height, uint8_t* to) {
  const auto room = static_cast<size_t>(width * height);
  if (!interlaced) {
    unpackBlocks(from, bits, to, room);
    return;
  }
  const std::unique_ptr<uint8_t[]> rows(new uint8_t[room]);
  interlace(rows.get(), unpackBlocks(from, bits, rows.get(), room), width, height, to);
}

bool unpackTiffLzw(Bytes from, uint8_t* to, size_t room) {
  constexpr int clear = 256, end = 257;
  const auto strings = std::make_unique<Strings>(to, room);
  int size = 9, next = 258;
  bool fresh = true;
  uint32_t buffer = 0;
  int held = 0;
  size_t at = 0;
  while (!strings->full()) {
    while (held < size) {
      if (at >= from.length) return false;
      buffer = buffer << 8 | from.data[at++];
      held += 8;
    }
    const int code = static_cast<int>(buffer >> (held - size)) & ((1 << size) - 1);
    held -= size;
    if (code == end) return false;
    if (code == clear) {
      size = 9;
      next = 258;
      fresh = true;
      continue;
    }
    if (fresh ? code > 255 : code > next || next >= kCodes) return false;
    if (!fresh) {
      strings->keep(next++);
      if (next + 1 >= 1 << size && size < 12) size++;  // one code earlier than in GIF
    }
    fresh = false;
    if (code < clear)
      strings->putByte(code);
    else
      strings->put(code);
  }
  return true;
}

}  // namespace cleanclip::pixels
