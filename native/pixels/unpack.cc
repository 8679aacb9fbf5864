#include "unpack.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace cleanclip::pixels {

namespace {

uint8_t paeth(int left, int above, int corner) {
  const int toLeft = std::abs(above - corner), toAbove = std::abs(left - corner), toCorner = std::abs(left + above - 2 * corner);
  return static_cast<uint8_t>(toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner);
}

// `above` is a row of zeros for the first one.
bool unfilterRow(int filter, uint8_t* row, const uint8_t* above, int64_t length, int64_t step) {
  const auto first = std::min(step, length);
  switch (filter) {
    case 0:
      return true;
    case 1:
      for (int64_t i = step; i < length; i++) row[i] = static_cast<uint8_t>(row[i] + row[i - step]);
      return true;
    case 2:
      for (int64_t i = 0; i < length; i++) row[i] = static_cast<uint8_t>(row[i] + above[i]);
      return true;
    case 3:
      for (int64_t i = 0; i < first; i++) row[i] = static_cast<uint8_t>(row[i] + above[i] / 2);
      for (int64_t i = step; i < length; i++) row[i] = static_cast<uint8_t>(row[i] + (row[i - step] + above[i]) / 2);
      return true;
    case 4:
      for (int64_t i = 0; i < first; i++) row[i] = static_cast<uint8_t>(row[i] + above[i]);
      for (int64_t i = step; i < length; i++) row[i] = static_cast<uint8_t>(row[i] + paeth(row[i - step], above[i], above[i - step]));
      return true;
    default:
      return false;
  }
}

template <typename Sample>
void sumUp(uint8_t* row, int64_t length, int samples, bool swapped) {
  const auto count = length / static_cast<int64_t>(sizeof(Sample));
  const auto load = [&](int64_t i) {
    std::array<uint8_t, sizeof(Sample)> bytes;
    std::copy_n(row + i * sizeof(Sample), sizeof(Sample), bytes.begin());
    if (swapped) std::reverse(bytes.begin(), bytes.end());
    Sample value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  };
  for (int64_t i = samples; i < count; i++) {
    const auto value = static_cast<Sample>(load(i) + load(i - samples));
    auto* at = row + i * sizeof(Sample);
    std::memcpy(at, &value, sizeof value);
    if (swapped) std::reverse(at, at + sizeof value);
  }
}

}  // namespace

int64_t unfilter(uint8_t* rows, int64_t count, int64_t rowBytes, int64_t pixelBytes) {
  const std::unique_ptr<uint8_t[]> zeros(new uint8_t[rowBytes]());
  const uint8_t* above = zeros.get();
  for (int64_t y = 0; y < count; y++, rows += rowBytes + 1) {
    if (!unfilterRow(rows[0], rows + 1, above, rowBytes, pixelBytes)) return y;
    above = rows + 1;
  }
  return count;
}

void undoDifferences(uint8_t* rows, int64_t count, int64_t rowBytes, int samples, int bits, bool bigEndian) {
  for (int64_t y = 0; y < count; y++, rows += rowBytes) {
    if (bits == 8) sumUp<uint8_t>(rows, rowBytes, samples, false);
    if (bits == 16) sumUp<uint16_t>(rows, rowBytes, samples, bigEndian);
    if (bits == 32) sumUp<uint32_t>(rows, rowBytes, samples, bigEndian);
  }
}

namespace {

constexpr int kCodes = 4096;

// The strings of an LZW dictionary: each a shorter one and a byte more.
struct Dictionary {
  std::array<uint16_t, kCodes> prefix;
  std::array<uint8_t, kCodes> last;
  std::array<uint8_t, kCodes + 1> text;  // of a string, from the end
};

// Where the pixels of a GIF's frame go, by rows or interlaced.
class Frame {
 public:
  Frame(uint8_t* to, int64_t width, int64_t height, bool interlaced) : to(to), width(width), height(height), pass(interlaced ? 0 : 4), step(interlaced ? 8 : 1) {}

  // False once it is full.
  bool put(uint8_t index) {
    to[y * width + x] = index;
    if (++x < width) return true;
    x = 0;
    y += step;
    while (y >= height) {
      if (pass >= 3) return false;
      static constexpr std::array<std::array<int, 2>, 3> next{{{4, 8}, {2, 4}, {1, 2}}};
      y = next[pass][0];
      step = next[pass++][1];
    }
    return true;
  }

 private:
  uint8_t* to;
  const int64_t width, height;
  int64_t x = 0, y = 0;
  int pass, step;
};

}  // namespace

void unpackGif(Bytes from, int bits, bool interlaced, int64_t width, int64_t height, uint8_t* to) {
  Frame frame(to, width, height, interlaced);
  const auto dictionary = std::make_unique<Dictionary>();
  auto& [prefix, last, text] = *dictionary;
  const int clear = 1 << bits, end = clear + 1;
  int size = bits + 1, next = end + 1, previous = -1;
  uint8_t first = 0;
  uint32_t buffer = 0;
  int held = 0;
  size_t at = 0, block = 0;
  for (;;) {
    while (held < size) {
      while (block == 0) {
        if (at >= from.length || at + from.data[at] + 1 > from.length) return;  // only whole blocks count
        block = from.data[at++];
      }
      buffer |= static_cast<uint32_t>(from.data[at++]) << held;
      held += 8;
      block--;
    }
    const int code = static_cast<int>(buffer & ((1u << size) - 1));
    buffer >>= size;
    held -= size;
    if (code == end) return;
    if (code == clear) {
      size = bits + 1;
      next = end + 1;
      previous = -1;
      continue;
    }
    if (previous < 0) {
      if (code > clear) return;
      first = static_cast<uint8_t>(code);
      previous = code;
      if (!frame.put(first)) return;
      continue;
    }
    if (code > next || (code == next && next > kCodes)) return;
    int length = 0;
    int rest = code;
    if (code == next) {
      text[length++] = first;
      rest = previous;
    }
    while (rest >= clear) {
      if (length >= kCodes || rest >= next || rest >= kCodes || rest == clear || rest == end) return;
      text[length++] = last[rest];
      rest = prefix[rest];
    }
    text[length++] = static_cast<uint8_t>(rest);
    first = static_cast<uint8_t>(rest);
    if (next < kCodes) {
      last[next] = first;
      prefix[next] = static_cast<uint16_t>(previous);
      if (next == (1 << size) - 1 && size < 12) size++;
      next++;
    }
    previous = code;
    while (length > 0) {
      if (!frame.put(text[--length])) return;
    }
  }
}

bool unpackTiffLzw(Bytes from, uint8_t* to, size_t room) {
  constexpr int clear = 256, end = 257;
  const auto dictionary = std::make_unique<Dictionary>();
  auto& [prefix, last, text] = *dictionary;
  int size = 9, next = 258, previous = -1;
  uint8_t first = 0;
  uint32_t buffer = 0;
  int held = 0;
  size_t at = 0, done = 0;
  while (done < room) {
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
      previous = -1;
      continue;
    }
    if (previous < 0) {
      if (code > 255) return false;
      to[done++] = first = static_cast<uint8_t>(code);
      previous = code;
      continue;
    }
    if (code > next || next >= kCodes) return false;
    int length = 0;
    int rest = code;
    if (code == next) {
      text[length++] = first;
      rest = previous;
    }
    while (rest >= clear) {
      if (length >= kCodes || rest >= next || rest <= end) return false;
      text[length++] = last[rest];
      rest = prefix[rest];
    }
    text[length++] = first = static_cast<uint8_t>(rest);
    last[next] = first;
    prefix[next] = static_cast<uint16_t>(previous);
    next++;
    if (next + 1 >= 1 << size && size < 12) size++;  // a code earlier than GIF
    previous = code;
    while (length > 0 && done < room) to[done++] = text[--length];
  }
  return true;
}

bool unpackPackBits(Bytes from, uint8_t* to, size_t room) {
  size_t at = 0, done = 0;
  while (done < room) {
    if (at >= from.length) return false;
    const int head = static_cast<int8_t>(from.data[at++]);
    if (head == -128) continue;
    const auto count = std::min<size_t>(head < 0 ? 1 - head : head + 1, room - done);
    if (at + (head < 0 ? 1 : count) > from.length) return false;
    if (head < 0) {
      std::memset(to + done, from.data[at++], count);
    } else {
      std::memcpy(to + done, from.data + at, count);
      at += head + 1;
    }
    done += count;
  }
  return true;
}

bool unpackBmpRle(Bytes from, size_t at, bool nibbles, int64_t width, int64_t height, uint8_t* to) {
  const auto room = width * height;
  int64_t done = 0, x = 0;
  const auto put = [&](int64_t count, auto value) {
    for (int64_t i = 0; i < count && done < room; i++) to[done++] = static_cast<uint8_t>(value(i));
  };
  while (done < room && at + 2 <= from.length) {
    const int count = from.data[at], byte = from.data[at + 1];
    at += 2;
    if (count > 0) {
      const auto length = std::max<int64_t>(0, std::min<int64_t>(count, width - x));
      put(length, [&](int64_t i) { return !nibbles ? byte : i % 2 == 0 ? byte >> 4 : byte & 15; });
      x += length;
    } else if (byte == 0) {
      put((width - done % width) % width, [](int64_t) { return 0; });
      x = 0;
    } else if (byte == 1) {
      break;
    } else if (byte == 2) {
      if (at + 2 > from.length) break;
      put(from.data[at] + from.data[at + 1] * width, [](int64_t) { return 0; });
      at += 2;
      x = done % width;
    } else {
      const auto length = std::min<int64_t>(byte, room - done);
      const auto packed = static_cast<size_t>(nibbles ? (length + 1) / 2 : length);
      if (at + packed > from.length) return false;
      put(length, [&](int64_t i) { return !nibbles ? from.data[at + i] : i % 2 == 0 ? from.data[at + i / 2] >> 4 : from.data[at + i / 2] & 15; });
      at += packed;
      x += byte;
      at += at % 2;
    }
  }
  return done == room;
}

bool unpackPlain(Bytes from, bool bits, uint32_t largest, int64_t count, uint8_t* to) {
  int64_t done = 0;
  uint32_t number = 0;
  int digits = 0;
  const auto put = [&](uint32_t value) {
    to[2 * done] = static_cast<uint8_t>(value);
    to[2 * done + 1] = static_cast<uint8_t>(value >> 8);
    done++;
  };
  for (size_t at = 0; at < from.length && done < count; at++) {
    const auto sign = from.data[at];
    if (sign == '#') {
      while (at < from.length && from.data[at] != '\n' && from.data[at] != '\r') at++;
    } else if (sign >= '0' && sign <= '9') {
      if (bits) {
        if (sign > '1') return false;
        put(sign - '0');
        continue;
      }
      number = 10 * number + (sign - '0');
      if (++digits > 10 || number > largest) return false;
    } else if (sign == ' ' || (sign >= 9 && sign <= 13)) {
      if (digits > 0) put(number);
      number = 0;
      digits = 0;
    } else {
      return false;
    }
  }
  if (digits > 0 && done < count) put(number);
  return done == count;
}

}  // namespace cleanclip::pixels
