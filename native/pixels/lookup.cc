#include "lookup.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "instructions.h"

namespace cleanclip::pixels {

namespace {

#ifdef CLEANCLIP_X86

// A table of 256 bytes in four registers.
struct Registers {
  __m512i first, second, third, fourth;
};

AVX512 inline Registers load(const uint8_t* table) {
  return {_mm512_loadu_si512(table), _mm512_loadu_si512(table + 64), _mm512_loadu_si512(table + 128),
          _mm512_loadu_si512(table + 192)};
}

AVX512 inline __m512i lookUp64(__m512i bytes, const Registers& table) {
  const auto low = _mm512_permutex2var_epi8(table.first, bytes, table.second);
  const auto high = _mm512_permutex2var_epi8(table.third, bytes, table.fourth);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high);
}

// A mask of the first `count` of 64 bytes.
inline __mmask64 firstBytes(int64_t count) { return count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

AVX512 void lookUpPixels(const uint8_t* from, uint8_t* to, int64_t count, const std::array<Table, 3>& tables) {
  const auto red = load(tables[0].data()), green = load(tables[1].data()), blue = load(tables[2].data());
  // Bits of the greens and of the blues among the 64 bytes of a block. They move on with each block.
  uint64_t greens = 0x2492492492492492, blues = 0x4924924924924924;
  for (int64_t i = 0; i < count; i += 64) {
    const auto mask = firstBytes(count - i);
    const auto bytes = _mm512_maskz_loadu_epi8(mask, from + i);
    auto result = lookUp64(bytes, red);
    result = _mm512_mask_blend_epi8(greens, result, lookUp64(bytes, green));
    result = _mm512_mask_blend_epi8(blues, result, lookUp64(bytes, blue));
    _mm512_mask_storeu_epi8(to + i, mask, result);
    const auto reds = ~(greens | blues);
    blues = std::exchange(greens, reds);
  }
}

// Looks up each of the four bytes of a number in a table of its own, and interleaves them.
AVX512 void lookUpNumbers(const uint8_t* from, float* to, int64_t count, const std::array<float, kLevels>& table) {
  alignas(64) uint8_t planes[4][kLevels];
  for (int level = 0; level < kLevels; level++) {
    uint8_t bytes[4];
    std::memcpy(bytes, &table[level], 4);
    for (int part = 0; part < 4; part++) planes[part][level] = bytes[part];
  }
  const auto first = load(planes[0]), second = load(planes[1]), third = load(planes[2]), fourth = load(planes[3]);
  // Instructions interleave within quarters of a register, so that quarter i must hold bytes 4i to 4i + 3 of each.
  const auto order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (int64_t i = 0; i < count; i += 64) {
    const auto mask = firstBytes(count - i);
    const auto bytes = _mm512_permutexvar_epi32(order, _mm512_maskz_loadu_epi8(mask, from + i));
    const auto a = lookUp64(bytes, first), b = lookUp64(bytes, second), c = lookUp64(bytes, third),
               d = lookUp64(bytes, fourth);
    const auto lowStart = _mm512_unpacklo_epi8(a, b), lowEnd = _mm512_unpackhi_epi8(a, b);
    const auto highStart = _mm512_unpacklo_epi8(c, d), highEnd = _mm512_unpackhi_epi8(c, d);
    const __m512i parts[4] = {_mm512_unpacklo_epi16(lowStart, highStart), _mm512_unpackhi_epi16(lowStart, highStart),
                              _mm512_unpacklo_epi16(lowEnd, highEnd), _mm512_unpackhi_epi16(lowEnd, highEnd)};
    for (int part = 0; part < 4; part++)
      _mm512_mask_storeu_epi32(to + i + 16 * part, static_cast<__mmask16>(mask >> (16 * part)), parts[part]);
  }
}

#else

void lookUpPixels(const uint8_t*, uint8_t*, int64_t, const std::array<Table, 3>&) {}
void lookUpNumbers(const uint8_t*, float*, int64_t, const std::array<float, kLevels>&) {}

#endif

}  // namespace

void lookUp(const uint8_t* from, uint8_t* to, int64_t count, const std::array<Table, 3>& tables) {
  if (instructions() == Instructions::avx512) return lookUpPixels(from, to, count, tables);
  for (int64_t i = 0; i < count; i += 3) {
    for (size_t channel = 0; channel < 3; channel++) to[i + channel] = tables[channel][from[i + channel]];
  }
}

void lookUp(const uint8_t* from, float* to, int64_t count, const std::array<float, kLevels>& table) {
  if (instructions() == Instructions::avx512) return lookUpNumbers(from, to, count, table);
  std::transform(from, from + count, to, [&](uint8_t byte) { return table[byte]; });
}

}  // namespace cleanclip::pixels
