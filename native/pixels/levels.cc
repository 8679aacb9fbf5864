#include "levels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace cleanclip::pixels {

namespace {

template <typename Level>
Table tableOf(Level level) {
  Table table;
  for (int value = 0; value < kLevels; value++) table[value] = static_cast<uint8_t>(level(value));
  return table;
}

int highest(const Counts& counts) {
  const auto last = std::find_if(counts.rbegin(), counts.rend(), [](uint32_t count) { return count > 0; });
  return last == counts.rend() ? 0 : static_cast<int>(counts.rend() - last) - 1;
}

std::array<Counts, 3> histograms(const uint8_t* pixels, Size size) {
  // Neighbours are often equal, and increments of one counter wait for each other. Four sets of counters take turns.
  std::array<std::array<Counts, 3>, 4> parts{};
  const auto count = [&](size_t part) {
    for (size_t channel = 0; channel < 3; channel++) parts[part][channel][pixels[3 * part + channel]]++;
  };
  auto left = size.pixels();
  for (; left >= 4; left -= 4, pixels += 12) {
    for (size_t part = 0; part < 4; part++) count(part);
  }
  for (size_t part = 0; part < static_cast<size_t>(left); part++) count(part);
  std::array<Counts, 3> sums{};
  for (const auto& part : parts) {
    for (size_t channel = 0; channel < 3; channel++) {
      std::transform(part[channel].begin(), part[channel].end(), sums[channel].begin(), sums[channel].begin(),
                     std::plus<>());
    }
  }
  return sums;
}

}  // namespace

Table inverted() {
  return tableOf([](int value) { return 255 - value; });
}

Table posterised(double bits) {
  const auto mask = -1 << (8 - static_cast<int>(std::clamp(bits, 0.0, 8.0)));
  return tableOf([mask](int value) { return value & mask; });
}

Table solarised(double threshold) {
  return tableOf([threshold](int value) { return value < threshold ? value : 255 - value; });
}

Table blended(uint8_t start, float factor) {
  return tableOf(
      [&](int value) { return std::clamp(start + factor * static_cast<float>(value - start), 0.0f, 255.0f); });
}

Table stretched(const Counts& counts) {
  const auto low = static_cast<int>(
      std::find_if(counts.begin(), counts.end(), [](uint32_t count) { return count > 0; }) - counts.begin());
  const auto high = highest(counts);
  const auto scale = high > low ? 255.0 / (high - low) : 1;
  const auto offset = high > low ? -low * scale : 0;
  return tableOf([&](int value) { return std::clamp(value * scale + offset, 0.0, 255.0); });
}

Table equalised(const Counts& counts) {
  const auto total = std::accumulate(counts.begin(), counts.end(), uint64_t{0});
  const auto step = (total - counts[highest(counts)]) / 255;
  auto below = step / 2;
  return tableOf([&](int value) -> uint64_t {
    if (step == 0) return value;
    const auto level = below / step;
    below += counts[value];
    return std::min<uint64_t>(level, 255);
  });
}

void Levels::then(const Table& table) {
  for (auto& levels : tables_) {
    if (empty())
      levels = table;
    else
      std::transform(levels.begin(), levels.end(), levels.begin(), [&](uint8_t level) { return table[level]; });
  }
  changed_ = true;
}

void Levels::then(Table (*table)(const Counts&), const uint8_t* pixels, Size size) {
  if (empty()) then(tableOf([](int value) { return value; }));
  if (!counts_) counts_ = histograms(pixels, size);
  for (size_t channel = 0; channel < 3; channel++) {
    auto& levels = tables_[channel];
    Counts seen{};
    for (int value = 0; value < kLevels; value++) seen[levels[value]] += (*counts_)[channel][value];
    const auto next = table(seen);
    for (auto& level : levels) level = next[level];
  }
}

void Levels::apply(const uint8_t* from, uint8_t* to, Size size) {
  lookUp(from, to, size.bytes(), tables_);
  *this = {};
}

}  // namespace cleanclip::pixels
