// Calls native/pixels with random sizes and bytes, in buffers of exactly the size that each function says it needs: for
// a build with AddressSanitizer and UndefinedBehaviorSanitizer, by scripts/sanitize.mjs. Arguments: seed, rounds.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "pixels/affine.h"
#include "pixels/enhance.h"
#include "pixels/levels.h"
#include "pixels/normalise.h"
#include "pixels/raster.h"
#include "pixels/resize.h"
#include "pixels/unpack.h"

namespace {

using namespace cleanclip::pixels;

std::mt19937_64 engine;

int64_t between(int64_t least, int64_t most) { return std::uniform_int_distribution<int64_t>(least, most)(engine); }
bool chance(int percent) { return between(1, 100) <= percent; }

// On the heap, where the sanitizer guards both ends.
struct Buffer {
  explicit Buffer(int64_t length)
      : length(static_cast<size_t>(length)), bytes(std::make_unique<uint8_t[]>(this->length)) {
    const auto style = between(0, 2);
    for (size_t i = 0; i < this->length; i++) {
      bytes[i] = static_cast<uint8_t>(style == 0   ? between(0, 255)
                                      : style == 1 ? (chance(80) ? 0 : between(0, 255))
                                                   : between(0, 4));
    }
  }
  static Buffer of(const std::vector<uint8_t>& given) {
    Buffer buffer(static_cast<int64_t>(given.size()));
    std::copy(given.begin(), given.end(), buffer.data());
    return buffer;
  }
  uint8_t* data() const { return bytes.get(); }
  Bytes all() const { return {data(), length}; }

  size_t length;
  std::unique_ptr<uint8_t[]> bytes;
};

Size someSize() { return {between(1, chance(10) ? 300 : 24), between(1, chance(10) ? 300 : 24)}; }

// Codes that a reader of LZW takes, of which some bytes are changed: GIF's in blocks, lowest bit first; TIFF's highest
// bit first.
std::vector<uint8_t> lzw(int bits, bool isGif) {
  const int clear = 1 << bits, first = clear + 2, most = 4096;
  std::vector<uint8_t> bytes;
  uint32_t buffer = 0;
  int held = 0, size = bits + 1, next = first;
  bool fresh = true;
  const auto put = [&](int code) {
    buffer = isGif ? buffer | static_cast<uint32_t>(code) << held : buffer << size | static_cast<uint32_t>(code);
    for (held += size; held >= 8; held -= 8) {
      bytes.push_back(static_cast<uint8_t>(isGif ? buffer : buffer >> (held - 8)));
      if (isGif) buffer >>= 8;
    }
  };
  for (int64_t i = chance(20) ? between(4000, 9000) : between(0, 600); i > 0; i--) {
    if (chance(1) || (!isGif && next >= most - 2)) {
      put(clear);
      size = bits + 1;
      next = first;
      fresh = true;
      continue;
    }
    const int code =
        static_cast<int>(fresh || chance(30) ? between(0, clear - 1) : between(first, std::min(next, most - 1)));
    put(code);
    if (!fresh && next < most) {
      next++;
      if (size < 12 && next + (isGif ? 0 : 1) >= 1 << size) size++;
    }
    fresh = false;
  }
  put(clear + 1);
  put(0);
  if (isGif) {
    std::vector<uint8_t> blocks;
    for (size_t at = 0; at < bytes.size(); at += 255) {
      const auto count = std::min<size_t>(255, bytes.size() - at);
      blocks.push_back(static_cast<uint8_t>(count));
      blocks.insert(blocks.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    bytes.begin() + static_cast<std::ptrdiff_t>(at + count));
    }
    blocks.push_back(0);
    bytes = std::move(blocks);
  }
  for (int64_t i = between(0, 3); i > 0 && chance(70); i--)
    bytes[static_cast<size_t>(between(0, static_cast<int64_t>(bytes.size()) - 1))] =
        static_cast<uint8_t>(between(0, 255));
  return bytes;
}

void lzws() {
  const int bits = static_cast<int>(between(1, 8));
  const auto gif = lzw(bits, true), tiff = lzw(8, false);
  const Size size = someSize();
  const Buffer picture(size.pixels()), strip(between(0, 90'000));
  const auto blocks = Buffer::of(gif), strips = Buffer::of(tiff);
  unpackGif(blocks.all(), bits, chance(50), size.width, size.height, picture.data());
  unpackTiffLzw(strips.all(), strip.data(), strip.length);
}

void unpacking() {
  const Buffer packed(between(0, 400));
  const Buffer room(between(0, 600));
  unpackTiffLzw(packed.all(), room.data(), room.length);
  unpackPackBits(packed.all(), room.data(), room.length);
  const Size size = someSize();
  const Buffer picture(size.pixels());
  unpackGif(packed.all(), static_cast<int>(between(1, 8)), chance(50), size.width, size.height, picture.data());
  unpackBmpRle(packed.all(), static_cast<size_t>(between(0, static_cast<int64_t>(packed.length))), chance(50),
               size.width, size.height, picture.data());
  const Buffer text(between(0, 200));
  for (size_t i = 0; i < text.length; i++) text.data()[i] = static_cast<uint8_t>("0123456789 \n#x"[between(0, 13)]);
  const int64_t count = between(0, 80);
  const Buffer numbers(2 * count);
  unpackPlain(text.all(), chance(30), chance(50) ? 255 : 65535, count, numbers.data());
}

void rows() {
  const int64_t count = between(0, 20), rowBytes = between(1, 64);
  const Buffer filtered(count * (rowBytes + 1));
  unfilter(filtered.data(), count, rowBytes, between(1, 8));
  const int bits = 8 << between(0, 2), samples = static_cast<int>(between(1, 4));
  const int64_t width = between(1, 12);
  const Buffer differences(count * width * samples * bits / 8);
  undoDifferences(differences.data(), count, width * samples * bits / 8, samples, bits, chance(50));
}

void rasters() {
  Raster raster;
  raster.size = someSize();
  raster.orientation = static_cast<int>(between(1, 8));
  raster.bits = std::array{1, 2, 4, 8, 16, 24, 32}[between(0, 6)];
  raster.samples = raster.bits == 32 ? static_cast<Raster::Samples>(between(1, 2)) : Raster::Samples::kUnsigned;
  raster.colours = static_cast<Raster::Colours>(between(0, 3));
  raster.bigEndian = chance(50);
  raster.reversed = chance(20);
  raster.step = chance(80) ? raster.bits * raster.channels() : between(-10, 100);
  for (int c = 0; c < 4; c++) raster.bitOffsets[c] = chance(80) ? c * raster.bits : between(-20, 200);
  raster.tables.resize(raster.bits == 32 ? 0 : raster.channels() * (raster.bits <= 8 ? 256 : 65536), 7);
  if (raster.bits == 8 && chance(50)) {
    for (size_t i = 0; i < raster.tables.size(); i++) raster.tables[i] = static_cast<uint8_t>(i);
  }
  raster.blank = {1, 2, 3};
  for (int64_t i = between(0, 3); i > 0; i--) {
    const int64_t most = chance(90) ? 24 : int64_t{1} << between(20, 62);
    Piece piece{between(0, most), between(0, most), between(0, most), between(0, most),
                between(1, 3),    between(1, 3),    between(0, most), {}};
    if (chance(60))
      piece = {0, 0, raster.size.width, raster.size.height, 1, 1, (raster.size.width * raster.step + 7) / 8, {}};
    for (auto& offset : piece.offsets) offset = between(0, chance(90) ? 20 : most);
    raster.pieces.push_back(piece);
  }
  if (!raster.sound()) return;
  const Buffer bytes(between(0, 4000));
  const Buffer rgb(raster.shown().bytes());
  toRgb(raster, bytes.data(), bytes.length, rgb.data());
}

void resizing() {
  const Size from = someSize(), target = someSize();
  const int64_t left = between(0, target.width - 1), top = between(0, target.height - 1);
  const Crop crop{left, top, {between(1, target.width - left), between(1, target.height - top)}};
  const Buffer image(from.bytes()), planes(crop.size.bytes());
  resize(image.data(), from, target, crop, chance(50) ? Interpolation::bicubic : Interpolation::bilinear,
         planes.data());
}

void augmenting() {
  const Size size = someSize();
  const Buffer from(size.bytes()), to(size.bytes());
  const float factor = static_cast<float>(between(-20, 40)) / 10;
  affine(from.data(), to.data(), size, rotation(static_cast<double>(between(-400, 400)), size));
  Matrix matrix;
  for (auto& one : matrix) one = static_cast<double>(between(-1000, 1000)) / 100;
  affine(from.data(), to.data(), size, matrix);
  sharpen(from.data(), to.data(), size, factor);
  saturate(from.data(), to.data(), size, factor);
  Levels levels;
  levels.then(posterised(static_cast<double>(between(0, 8))));
  levels.then(blended(meanGrey(from.data(), size), factor));
  levels.then(chance(50) ? equalised : stretched, from.data(), size);
  levels.then(solarised(static_cast<double>(between(0, 256))));
  levels.apply(from.data(), to.data(), size);
  std::vector<float> numbers(static_cast<size_t>(size.bytes()));
  normalise(to.data(), numbers.data(), size.bytes(), 0.5f, 0.25f);
}

}  // namespace

int main(int, char** argv) {
  const auto seed = std::strtoull(argv[1], nullptr, 10);
  const auto rounds = std::strtoull(argv[2], nullptr, 10);
  const std::vector<std::function<void()>> parts{unpacking, lzws, rows, rasters, resizing, augmenting};
  for (uint64_t round = 0; round < rounds; round++) {
    engine.seed(seed * 1'000'003 + round);
    std::fprintf(stderr, "\rseed %llu round %llu ", seed, static_cast<unsigned long long>(round));
    for (const auto& part : parts) part();
  }
  std::fprintf(stderr, "\n%llu rounds without a complaint\n", rounds);
}
