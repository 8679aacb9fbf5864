#include "filter.h"

#include <algorithm>
#include <cmath>

#include "instructions.h"

namespace cleanclip::pixels {

namespace {

constexpr int32_t kHalf = 1 << (kWeightBits - 1);

double bicubic(double distance) {
  constexpr double a = -0.5;
  const auto x = std::fabs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

double bilinear(double distance) { return std::max(0.0, 1 - std::fabs(distance)); }

#ifdef CLEANCLIP_X86

// A weight is cut into a high and a low part, so that 16-bit instructions can multiply each part with bytes.
constexpr int kLowBits = 11;
// The number of parts for 4 taps. First come the high parts of taps 0 and 1, four times: for three channels and an
// unused one. Then come those of taps 2 and 3, then the low parts in the same order.
constexpr int64_t kGroup = 32;

std::vector<int16_t> partsOf(const std::vector<int32_t>& weights) {
  std::vector<int16_t> parts(kGroup / 4 * weights.size());
  auto* high = parts.data();
  for (auto group = weights.begin(); group != weights.end(); group += 4, high += kGroup) {
    for (int lane = 0; lane < 16; lane++) {
      const auto weight = group[lane / 8 * 2 + lane % 2];
      high[lane] = static_cast<int16_t>(weight >> kLowBits);
      high[16 + lane] = static_cast<int16_t>(weight & ((1 << kLowBits) - 1));
    }
  }
  return parts;
}

// Returns the bytes of 4 pixels as 16-bit numbers: red of pixels 0 and 1, green, blue, zeros; then those of 2 and 3.
__attribute__((target("avx2"))) inline __m256i pairs(const uint8_t* pixels) {
  const auto bytes = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(pixels)));
  return _mm256_shuffle_epi8(bytes, _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,  //
                                                     6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
}

// Filters a row. `groups` is the number of groups of 4 taps; 0 stands for as many as the filter has.
template <int groups>
__attribute__((target("avx2"))) void applyGroups(const Filter& filter, const int16_t* parts, const uint8_t* row,
                                                 uint8_t* to) {
  const auto count = groups > 0 ? groups : filter.taps / 4;
  for (const auto first : filter.first) {
    const auto* pixels = row + 3 * (first - filter.begin);
    auto high = _mm256_setzero_si256(), low = _mm256_setzero_si256();
    for (int64_t group = 0; group < count; group++, pixels += 12, parts += kGroup) {
      const auto values = pairs(pixels);
      high = _mm256_add_epi32(high,
                              _mm256_madd_epi16(values, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(parts))));
      low = _mm256_add_epi32(
          low, _mm256_madd_epi16(values, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(parts + 16))));
    }
    const auto both = _mm256_add_epi32(_mm256_slli_epi32(high, kLowBits), low);
    const auto sums = _mm_add_epi32(_mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1)),
                                    _mm_set1_epi32(kHalf));
    const auto words = _mm_packs_epi32(_mm_srai_epi32(sums, kWeightBits), sums);
    _mm_storeu_si32(to, _mm_packus_epi16(words, words));
    to += 3;
  }
}

void applyParts(const Filter& filter, const int16_t* parts, const uint8_t* row, uint8_t* to) {
  if (filter.taps == 8)
    applyGroups<2>(filter, parts, row, to);
  else
    applyGroups<0>(filter, parts, row, to);
}

#else

std::vector<int16_t> partsOf(const std::vector<int32_t>&) { return {}; }
void applyParts(const Filter&, const int16_t*, const uint8_t*, uint8_t*) {}

#endif

void applyWeights(const Filter& filter, const uint8_t* row, uint8_t* to) {
  const auto* weights = filter.weights.data();
  for (const auto first : filter.first) {
    const auto* pixels = row + 3 * (first - filter.begin);
    int32_t red = kHalf, green = kHalf, blue = kHalf;
    for (int64_t tap = 0; tap < filter.taps; tap++, pixels += 3, weights++) {
      red += *weights * pixels[0];
      green += *weights * pixels[1];
      blue += *weights * pixels[2];
    }
    for (const auto sum : {red, green, blue}) *to++ = static_cast<uint8_t>(std::clamp(sum >> kWeightBits, 0, 255));
  }
}

}  // namespace

Filter::Filter(Interpolation interpolation, int64_t length, int64_t target, int64_t start, int64_t count)
    : count(count), first(count) {
  if (interpolation == Interpolation::bicubic)
    weigh([](double x) { return bicubic(x); }, 2, length, target, start);
  else
    weigh([](double x) { return bilinear(x); }, 1, length, target, start);
}

// The kernel is 0 beyond `radius`.
template <typename Kernel>
void Filter::weigh(Kernel kernel, double radius, int64_t length, int64_t target, int64_t start) {
  const auto scale = static_cast<double>(length) / static_cast<double>(target);
  const auto stretch = std::max(scale, 1.0), reach = radius * stretch;
  const auto centre = [&](int64_t i) { return (static_cast<double>(start + i) + 0.5) * scale; };
  std::vector<int64_t> used(count);
  for (int64_t i = 0; i < count; i++) {
    first[i] = std::max<int64_t>(static_cast<int64_t>(centre(i) - reach + 0.5), 0);
    used[i] = std::min(static_cast<int64_t>(centre(i) + reach + 0.5), length) - first[i];
  }
  begin = first.front();
  end = first.back() + used.back();
  taps = (*std::max_element(used.begin(), used.end()) + 3) / 4 * 4;
  weights.resize(count * taps);
  std::vector<double> exact(taps);
  for (int64_t i = 0; i < count; i++) {
    double sum = 0;
    for (int64_t tap = 0; tap < used[i]; tap++) {
      exact[tap] = kernel((static_cast<double>(first[i] + tap) - centre(i) + 0.5) * (1 / stretch));
      sum += exact[tap];
    }
    for (int64_t tap = 0; tap < used[i]; tap++) {
      const auto weight = exact[tap] / sum * (1 << kWeightBits);
      weights[i * taps + tap] = static_cast<int32_t>(weight + (weight < 0 ? -0.5 : 0.5));
    }
  }
}

RowFilter::RowFilter(const Filter& filter)
    : filter_(filter),
      parts_(instructions() >= Instructions::avx2 ? partsOf(filter.weights) : std::vector<int16_t>()) {}

void RowFilter::apply(const uint8_t* row, uint8_t* to) const {
  if (parts_.empty())
    applyWeights(filter_, row, to);
  else
    applyParts(filter_, parts_.data(), row, to);
}

}  // namespace cleanclip::pixels
