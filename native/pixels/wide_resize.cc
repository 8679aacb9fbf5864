#include "wide_resize.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "instructions.h"

namespace cleanclip::pixels {

#ifdef CLEANCLIP_X86

namespace {

constexpr int64_t kBlock = 16;   // pixels of the result
constexpr int64_t kReach = 128;  // input pixels of a block at most: the bytes of two registers
constexpr int64_t kTaps = 4;     // taps of a group: one instruction multiplies four bytes and adds the products
constexpr int64_t kDigits = 3;

constexpr int64_t roundUp(int64_t value, int64_t step) { return (value + step - 1) / step * step; }

// An instruction multiplies bytes by signed bytes. So a weight is written with three signed digits to the base 256.
using Digits = std::array<int8_t, kDigits>;

Digits digitsOf(int32_t weight) {
  Digits digits;
  for (auto& digit : digits) {
    digit = static_cast<int8_t>(weight & 255);
    weight = (weight - digit) >> 8;
  }
  return digits;
}

// Returns whether three digits are enough for all weights.
bool haveDigits(const std::vector<int32_t>& weights) {
  constexpr auto most = 127 * (1 + 256 + 256 * 256);
  return std::all_of(weights.begin(), weights.end(), [](int32_t weight) { return std::abs(weight) <= most; });
}

// The sums of products with each digit.
struct Sums {
  __m512i low, middle, high;
};

AVX512 inline void add(Sums& sums, __m512i bytes, __m512i low, __m512i middle, __m512i high) {
  sums.low = _mm512_dpbusd_epi32(sums.low, bytes, low);
  sums.middle = _mm512_dpbusd_epi32(sums.middle, bytes, middle);
  sums.high = _mm512_dpbusd_epi32(sums.high, bytes, high);
}

AVX512 inline Sums zeros() { return {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()}; }

// Rounds the sums to integers, which are not yet limited to bytes.
AVX512 inline __m512i rounded(const Sums& sums) {
  const auto upper = _mm512_add_epi32(_mm512_slli_epi32(sums.middle, 8), _mm512_slli_epi32(sums.high, 16));
  const auto sum = _mm512_add_epi32(_mm512_add_epi32(sums.low, upper), _mm512_set1_epi32(1 << (kWeightBits - 1)));
  return _mm512_srai_epi32(sum, kWeightBits);
}

// A mask of the first `count` of 64 bytes.
inline __mmask64 firstBytes(int64_t count) {
  return count <= 0 ? 0 : count >= 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1;
}

// Splits a row into planes, each of which takes `stride` bytes. Writes up to 63 bytes after each plane.
AVX512 void split(const uint8_t* row, int64_t width, uint8_t* planes, int64_t stride) {
  alignas(64) uint8_t places[64];
  for (int i = 0; i < 64; i++) places[i] = static_cast<uint8_t>(3 * i);
  const auto first = _mm512_load_si512(places);
  for (int64_t x = 0; x < width; x += 64) {
    const auto left = 3 * (width - x);
    const auto* from = row + 3 * x;
    const auto a = _mm512_maskz_loadu_epi8(firstBytes(left), from);
    const auto b = _mm512_maskz_loadu_epi8(firstBytes(left - 64), from + 64);
    const auto c = _mm512_maskz_loadu_epi8(firstBytes(left - 128), from + 128);
    for (int channel = 0; channel < 3; channel++) {
      const auto place = _mm512_add_epi8(first, _mm512_set1_epi8(static_cast<char>(channel)));
      const auto last = _mm512_movepi8_mask(place);  // the bytes from 128 on
      const auto bytes = _mm512_mask_permutexvar_epi8(_mm512_permutex2var_epi8(a, place, b), last, place, c);
      _mm512_storeu_si512(planes + channel * stride + x, bytes);
    }
  }
}

// Filters rows of planes.
class Across {
 public:
  // Returns false for a filter of which a block reaches too far.
  bool prepare(const Filter& filter) {
    if (!haveDigits(filter.weights)) return false;
    groups_ = filter.taps / kTaps;
    const auto blocks = roundUp(filter.count, kBlock) / kBlock;
    starts_.resize(blocks);
    places_.resize(blocks * groups_ * 64);
    weights_.resize(blocks * groups_ * kDigits * 64);
    for (int64_t i = 0; i < filter.count; i++) {
      const auto block = i / kBlock, start = filter.first[block * kBlock];
      starts_[block] = start - filter.begin;
      for (int64_t tap = 0; tap < filter.taps; tap++) {
        const auto weight = filter.weights[i * filter.taps + tap];
        if (weight == 0) continue;
        const auto place = filter.first[i] + tap - start;
        if (place >= kReach) return false;
        reach_ = std::max(reach_, place + 1);
        const auto group = block * groups_ + tap / kTaps, lane = i % kBlock * kTaps + tap % kTaps;
        places_[group * 64 + lane] = static_cast<uint8_t>(place);
        const auto digits = digitsOf(weight);
        for (int64_t digit = 0; digit < kDigits; digit++)
          weights_[(group * kDigits + digit) * 64 + lane] = digits[digit];
      }
    }
    return true;
  }

  // Filters three planes of `stride` bytes to three of `room` bytes. Reads up to kReach bytes after each plane.
  void apply(const uint8_t* planes, int64_t stride, uint8_t* to, int64_t room) const {
    if (reach_ > 64)
      applyTo<true, 0>(planes, stride, to, room);
    else if (groups_ == 2)
      applyTo<false, 2>(planes, stride, to, room);
    else
      applyTo<false, 0>(planes, stride, to, room);
  }

 private:
  // `kGroups` is the number of groups; 0 stands for as many as the filter has.
  template <bool kFar, int kGroups>
  AVX512 void applyTo(const uint8_t* planes, int64_t stride, uint8_t* to, int64_t room) const {
    const auto groups = kGroups > 0 ? kGroups : groups_;
    const auto* places = places_.data();
    const auto* weights = weights_.data();
    for (const auto start : starts_) {
      Sums sums[3] = {zeros(), zeros(), zeros()};
      __m512i near[3], far[3];
      for (int channel = 0; channel < 3; channel++) {
        near[channel] = _mm512_loadu_si512(planes + channel * stride + start);
        if (kFar) far[channel] = _mm512_loadu_si512(planes + channel * stride + start + 64);
      }
      for (int64_t group = 0; group < groups; group++, places += 64, weights += kDigits * 64) {
        const auto place = _mm512_loadu_si512(places);
        const auto low = _mm512_loadu_si512(weights), middle = _mm512_loadu_si512(weights + 64),
                   high = _mm512_loadu_si512(weights + 128);
        for (int channel = 0; channel < 3; channel++) {
          const auto bytes = kFar ? _mm512_permutex2var_epi8(near[channel], place, far[channel])
                                  : _mm512_permutexvar_epi8(place, near[channel]);
          add(sums[channel], bytes, low, middle, high);
        }
      }
      for (int channel = 0; channel < 3; channel++) {
        const auto positive = _mm512_max_epi32(rounded(sums[channel]), _mm512_setzero_si512());
        _mm_storeu_si128(reinterpret_cast<__m128i*>(to + channel * room), _mm512_cvtusepi32_epi8(positive));
      }
      to += kBlock;
    }
  }

  int64_t groups_ = 0, reach_ = 0;
  std::vector<int64_t> starts_;  // [blocks] the first input pixel, counted from the filter's
  std::vector<uint8_t> places_;  // [blocks, groups, 16, 4] input pixels, counted from the block's
  std::vector<int8_t> weights_;  // [blocks, groups, digits, 16, 4]
};

// Filters columns.
class Down {
 public:
  bool prepare(const Filter& filter) {
    if (!haveDigits(filter.weights)) return false;
    filter_ = &filter;
    weights_.resize(filter.weights.size() * kDigits);
    for (size_t i = 0; i < filter.weights.size(); i++) {
      const auto digits = digitsOf(filter.weights[i]);
      for (size_t digit = 0; digit < kDigits; digit++)
        weights_[(i / kTaps * kDigits + digit) * kTaps + i % kTaps] = digits[digit];
    }
    return true;
  }

  // Computes `length` bytes of row y of the result; `row(i)` is row i of the input, of which as many are read. `rows`
  // has room for filter.taps rows.
  template <typename Row>
  void apply(int64_t y, Row row, int64_t length, std::vector<const uint8_t*>& rows, uint8_t* to) const {
    for (int64_t tap = 0; tap < filter_->taps; tap++)
      rows[tap] = row(std::min(filter_->first[y] + tap, filter_->end - 1));
    filterRows(rows.data(), filter_->taps / kTaps, weights_.data() + y * filter_->taps * kDigits, length, to);
  }

 private:
  AVX512 static __m512i repeated(const int8_t* digits) {
    int32_t four;
    std::memcpy(&four, digits, 4);
    return _mm512_set1_epi32(four);
  }

  AVX512 static void filterRows(const uint8_t* const* rows, int64_t groups, const int8_t* digits, int64_t length,
                                uint8_t* to) {
    for (int64_t x = 0; x < length; x += 64) {
      const auto mask = firstBytes(length - x);
      const auto load = [&](int64_t tap) AVX512 { return _mm512_maskz_loadu_epi8(mask, rows[tap] + x); };
      Sums sums[4] = {zeros(), zeros(), zeros(), zeros()};
      for (int64_t group = 0; group < groups; group++) {
        const auto a = load(kTaps * group), b = load(kTaps * group + 1), c = load(kTaps * group + 2),
                   d = load(kTaps * group + 3);
        const auto abStart = _mm512_unpacklo_epi8(a, b), abEnd = _mm512_unpackhi_epi8(a, b);
        const auto cdStart = _mm512_unpacklo_epi8(c, d), cdEnd = _mm512_unpackhi_epi8(c, d);
        const __m512i columns[4] = {_mm512_unpacklo_epi16(abStart, cdStart), _mm512_unpackhi_epi16(abStart, cdStart),
                                    _mm512_unpacklo_epi16(abEnd, cdEnd), _mm512_unpackhi_epi16(abEnd, cdEnd)};
        const auto* weights = digits + group * kDigits * kTaps;
        const auto low = repeated(weights), middle = repeated(weights + kTaps), high = repeated(weights + 2 * kTaps);
        for (int part = 0; part < 4; part++) add(sums[part], columns[part], low, middle, high);
      }
      // Packing puts the columns back into the order from which unpacking took them.
      const auto start = _mm512_packs_epi32(rounded(sums[0]), rounded(sums[1]));
      const auto end = _mm512_packs_epi32(rounded(sums[2]), rounded(sums[3]));
      _mm512_mask_storeu_epi8(to + x, mask, _mm512_packus_epi16(start, end));
    }
  }

  const Filter* filter_ = nullptr;
  std::vector<int8_t> weights_;  // [count, groups, digits, 4]
};

}  // namespace

struct WideResize::Weights {
  bool columnsFirst;
  const Filter& acrossFilter;
  const Filter& downFilter;
  Across across;
  Down down;
};

WideResize::WideResize(const Filters& filters) {
  if (instructions() != Instructions::avx512) return;
  Weights weights{filters.columnsFirst, filters.across, filters.down, {}, {}};
  if (weights.across.prepare(filters.across) && weights.down.prepare(filters.down))
    weights_ = std::make_shared<const Weights>(std::move(weights));
}

void WideResize::apply(const uint8_t* from, Size size, uint8_t* planes) const {
  const auto& [columnsFirst, acrossFilter, downFilter, across, down] = *weights_;
  const auto width = acrossFilter.count, height = downFilter.count, taps = downFilter.taps;
  const auto used = acrossFilter.end - acrossFilter.begin, stride = used + kReach, room = roundUp(width, kBlock);
  const auto row = [&](int64_t y) { return from + 3 * (y * size.width + acrossFilter.begin); };
  std::vector<uint8_t> wide(3 * stride), result(3 * std::max(used, room));
  std::vector<const uint8_t*> rows(taps);
  const auto narrow = [&](const uint8_t* pixels, uint8_t* to) {
    split(pixels, used, wide.data(), stride);
    across.apply(wide.data(), stride, to, room);
  };
  const auto finish = [&](int64_t y, const uint8_t* narrowed) {
    for (int64_t channel = 0; channel < 3; channel++)
      std::copy_n(narrowed + channel * room, width, planes + (channel * height + y) * width);
  };
  if (columnsFirst) {
    std::vector<uint8_t> narrowed(3 * room);
    for (int64_t y = 0; y < height; y++) {
      down.apply(y, row, 3 * used, rows, result.data());
      narrow(result.data(), narrowed.data());
      finish(y, narrowed.data());
    }
    return;
  }

  std::vector<uint8_t> ring(taps * 3 * room);  // the narrowed rows in use
  const auto narrowed = [&](int64_t y) { return ring.data() + y % taps * 3 * room; };
  auto next = downFilter.begin;
  for (int64_t y = 0; y < height; y++) {
    for (const auto end = std::min(downFilter.first[y] + taps, downFilter.end); next < end; next++)
      narrow(row(next), narrowed(next));
    down.apply(y, narrowed, 3 * room, rows, result.data());
    finish(y, result.data());
  }
}

#else

struct WideResize::Weights {};
WideResize::WideResize(const Filters&) {}
void WideResize::apply(const uint8_t*, Size, uint8_t*) const {}

#endif

}  // namespace cleanclip::pixels
