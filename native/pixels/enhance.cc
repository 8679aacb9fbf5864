#include "enhance.h"

#include <algorithm>
#include <array>

#include "instructions.h"
#include "vectorised.h"

namespace cleanclip::pixels {

namespace {

inline uint32_t grey(const uint8_t* pixel) {
  return (pixel[0] * 19595u + pixel[1] * 38470u + pixel[2] * 7471u + 0x8000u) >> 16;
}

// Clamping integers to bytes takes half the time of clamping floats. |factor| is too small for an integer to overflow.
inline uint8_t blend(int start, int value, float factor) {
  return static_cast<uint8_t>(
      std::clamp(static_cast<int>(static_cast<float>(start) + factor * static_cast<float>(value - start)), 0, 255));
}

VECTORISED void saturateBlocks(const uint8_t* from, uint8_t* to, Size size, float factor) {
  constexpr int64_t block = 256;
  std::array<uint8_t, block> greys;
  std::array<uint8_t, 3 * block> starts;
  for (int64_t left = size.pixels(); left > 0; left -= block, from += 3 * block, to += 3 * block) {
    const auto count = std::min(left, block);
    for (int64_t i = 0; i < count; i++) greys[i] = static_cast<uint8_t>(grey(from + 3 * i));
    for (int64_t i = 0; i < count; i++) starts[3 * i] = starts[3 * i + 1] = starts[3 * i + 2] = greys[i];
    for (int64_t i = 0; i < 3 * count; i++) to[i] = blend(starts[i], from[i], factor);
  }
}

#ifdef CLEANCLIP_X86

// Works on 16 pixels per step.
AVX512 void saturateWide(const uint8_t* from, uint8_t* to, Size size, float factor) {
  // Instructions multiply four bytes with four signed bytes and add the products. So the weight of green is halved and
  // counts twice, and each weight has two signed digits to the base 256.
  const auto low = _mm512_set1_epi32(0x232f238b), high = _mm512_set1_epi32(0x4b1d4b4d);
  const auto pixels = _mm512_set_epi8(46, 47, 46, 45, 43, 44, 43, 42, 40, 41, 40, 39, 37, 38, 37, 36,  //
                                      34, 35, 34, 33, 31, 32, 31, 30, 28, 29, 28, 27, 25, 26, 25, 24,  //
                                      22, 23, 22, 21, 19, 20, 19, 18, 16, 17, 16, 15, 13, 14, 13, 12,  //
                                      10, 11, 10, 9, 7, 8, 7, 6, 4, 5, 4, 3, 1, 2, 1, 0);
  const __m512i ofPixels[3] = {_mm512_setr_epi32(0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5),
                               _mm512_setr_epi32(5, 5, 6, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10),
                               _mm512_setr_epi32(10, 11, 11, 11, 12, 12, 12, 13, 13, 13, 14, 14, 14, 15, 15, 15)};
  const auto factors = _mm512_set1_ps(factor);
  for (int64_t left = size.bytes(); left > 0; left -= 48, from += 48, to += 48) {
    const auto bytes = _mm512_maskz_loadu_epi8(left < 48 ? (uint64_t{1} << left) - 1 : 0xffffffffffff, from);
    const auto quadruples = _mm512_permutexvar_epi8(pixels, bytes);
    const auto ofLow = _mm512_dpbusd_epi32(_mm512_set1_epi32(0x8000), quadruples, low);
    const auto ofHigh = _mm512_dpbusd_epi32(_mm512_setzero_si512(), quadruples, high);
    const auto greys = _mm512_srli_epi32(_mm512_add_epi32(ofLow, _mm512_slli_epi32(ofHigh, 8)), 16);
    const __m128i parts[3] = {_mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
                              _mm512_extracti32x4_epi32(bytes, 2)};
    for (int part = 0; part < 3; part++) {
      const auto start = _mm512_permutexvar_epi32(ofPixels[part], greys);
      const auto difference = _mm512_sub_epi32(_mm512_cvtepu8_epi32(parts[part]), start);
      const auto sum = _mm512_add_ps(_mm512_cvtepi32_ps(start), _mm512_mul_ps(factors, _mm512_cvtepi32_ps(difference)));
      const auto blended = _mm512_max_epi32(_mm512_cvttps_epi32(sum), _mm512_setzero_si512());
      const auto mask = left - 16 * part < 16 ? (1 << std::max<int64_t>(0, left - 16 * part)) - 1 : 0xffff;
      _mm_mask_storeu_epi8(to + 16 * part, static_cast<__mmask16>(mask), _mm512_cvtusepi32_epi8(blended));
    }
  }
}

#else

void saturateWide(const uint8_t*, uint8_t*, Size, float) {}

#endif

}  // namespace

VECTORISED uint8_t meanGrey(const uint8_t* pixels, Size size) {
  uint64_t sum = 0;
  for (int64_t i = 0; i < size.pixels(); i++) sum += grey(pixels + 3 * i);
  return static_cast<uint8_t>(static_cast<double>(sum) / static_cast<double>(size.pixels()) + 0.5);
}

void saturate(const uint8_t* from, uint8_t* to, Size size, float factor) {
  if (instructions() == Instructions::avx512)
    saturateWide(from, to, size, factor);
  else
    saturateBlocks(from, to, size, factor);
}

VECTORISED void sharpen(const uint8_t* __restrict from, uint8_t* __restrict to, Size size, float factor) {
  const auto stride = 3 * size.width;
  std::copy_n(from, size.bytes(), to);
  for (int64_t row = 1; row + 1 < size.height; row++) {
    const auto* middle = from + row * stride;
    auto* result = to + row * stride;
    for (int64_t i = 3; i < stride - 3; i++) {
      const auto column = [&](int64_t at) { return middle[at - stride] + middle[at] + middle[at + stride]; };
      const auto sum = static_cast<uint16_t>(column(i - 3) + column(i) + column(i + 3) + 4 * middle[i] + 6);
      result[i] = blend(static_cast<uint16_t>(sum / 13), middle[i], factor);
    }
  }
}

}  // namespace cleanclip::pixels
