#include "unpack.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace cleanclip::pixels {

namespace {

// Returns the one of left, above and corner that is nearest to left + above − corner. It has no branches, because the
// processor would predict half of them wrongly.
int paeth(int left, int above, int corner) {
  const int fromLeft = above - corner, fromAbove = left - corner;
  const int toLeft = std::abs(fromLeft), toAbove = std::abs(fromAbove), toCorner = std::abs(fromLeft + fromAbove);
  const int best = toAbove <= toCorner ? above : corner;
  return toLeft <= std::min(toAbove, toCorner) ? left : best;
}

// Filters 1 and 3 add these to a byte; filter 4 adds `paeth`.
int ofLeft(int left, int, int) { return left; }
int ofBoth(int left, int above, int) { return (left + above) / 2; }

// Undoes a filter whose bytes depend on the pixel before, kStep bytes earlier. That pixel is kept in registers.
template <int kStep, typename Add>
void unfilterPixels(uint8_t* row, const uint8_t* above, int64_t length, Add add) {
  std::array<int, kStep> left{}, corner{};
  int64_t i = 0;
  for (; i + kStep <= length; i += kStep) {
    for (int c = 0; c < kStep; c++) {
      const int up = above[i + c];
      left[c] = (row[i + c] + add(left[c], up, corner[c])) & 255;
      row[i + c] = static_cast<uint8_t>(left[c]);
      corner[c] = up;
    }
  }
  for (int c = 0; i < length; i++, c++) row[i] = static_cast<uint8_t>(row[i] + add(left[c], above[i], corner[c]));
}

// Undoes the filter of a row; returns false for an unknown filter. For the first row, `above` is a row of zeros.
template <int kStep>
bool unfilterRow(int filter, uint8_t* row, const uint8_t* above, int64_t length) {
  if (filter == 1) unfilterPixels<kStep>(row, above, length, ofLeft);
  if (filter == 2) {
    for (int64_t i = 0; i < length; i++) row[i] = static_cast<uint8_t>(row[i] + above[i]);
  }
  if (filter == 3) unfilterPixels<kStep>(row, above, length, ofBoth);
  if (filter == 4) unfilterPixels<kStep>(row, above, length, paeth);
  return filter <= 4;
}

auto rowUnfilter(int64_t step) -> bool (*)(int, uint8_t*, const uint8_t*, int64_t) {
  switch (step) {
    case 1: return unfilterRow<1>;
    case 2: return unfilterRow<2>;
    case 3: return unfilterRow<3>;
    case 4: return unfilterRow<4>;
    case 6: return unfilterRow<6>;
    case 8: return unfilterRow<8>;
    default: return nullptr;
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
  const auto unfilterRow = rowUnfilter(pixelBytes);
  if (unfilterRow == nullptr) return 0;
  for (int64_t y = 0; y < count; y++, rows += rowBytes + 1) {
    if (!unfilterRow(rows[0], rows + 1, above, rowBytes)) return y;
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
      put(length, [&](int64_t i) {
        return !nibbles ? from.data[at + i] : i % 2 == 0 ? from.data[at + i / 2] >> 4 : from.data[at + i / 2] & 15;
      });
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
