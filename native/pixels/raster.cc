#include "raster.h"

#include <algorithm>
#include <cstring>

namespace cleanclip::pixels {

namespace {

constexpr int64_t kLargest = int64_t{1} << 45;  // limit of offsets in bytes; sums and products below fit 63 bits

bool within(int64_t value, int64_t least, int64_t most) { return value >= least && value <= most; }

uint8_t clip(int value) { return static_cast<uint8_t>(std::clamp(value, 0, 255)); }

uint8_t reverse(uint8_t byte) {
  byte = static_cast<uint8_t>((byte & 0xF0) >> 4 | (byte & 0x0F) << 4);
  byte = static_cast<uint8_t>((byte & 0xCC) >> 2 | (byte & 0x33) << 2);
  return static_cast<uint8_t>((byte & 0xAA) >> 1 | (byte & 0x55) << 1);
}

// Returns a · b ÷ 255, rounded as by PIL's MULDIV255.
int scaled(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

void cmykToRgb(const uint8_t* from, uint8_t* to) {
  const int light = 255 - from[3];
  for (int c = 0; c < 3; c++) to[c] = clip(light - scaled(from[c], light));
}

void unpremultiply(const uint8_t* from, uint8_t* to) {
  for (int c = 0; c < 3; c++) to[c] = from[3] == 0 ? 0 : clip(255 * from[c] / from[3]);
}

// Computes in units of 1/64 of a level, as PIL's libImaging/ConvertYCbCr.c does.
void ycbcrToRgb(const uint8_t* from, uint8_t* to) {
  const auto part = [](double weight, int level) { return static_cast<int>(weight * 64 * (level - 128) + 0.5); };
  const int y = from[0], cb = from[1], cr = from[2];
  to[0] = clip(y + (part(1.402, cr) >> 6));
  to[1] = clip(y + ((part(-0.34414, cb) + part(-0.71414, cr)) >> 6));
  to[2] = clip(y + (part(1.772, cb) >> 6));
}

class Reader {
 public:
  explicit Reader(const Raster& raster) : raster(raster), tableSize(raster.bits <= 8 ? 256 : 65536) {}

  // Returns the byte (0–255) of sample `c`, which begins at this bit.
  uint8_t read(const uint8_t* bytes, int64_t bit, int c) const {
    const auto* at = bytes + (bit >> 3);
    const auto* table = raster.tables.data() + c * tableSize;
    switch (raster.bits) {
      case 8: return table[raster.reversed ? reverse(*at) : *at];
      case 16: return table[raster.bigEndian ? at[0] << 8 | at[1] : at[1] << 8 | at[0]];
      case 32: return read32(at);
      default: {
        const auto byte = raster.reversed ? reverse(*at) : *at;
        return table[(byte >> (8 - raster.bits - (bit & 7))) & ((1 << raster.bits) - 1)];
      }
    }
  }

 private:
  uint8_t read32(const uint8_t* at) const {
    std::array<uint8_t, 4> bytes{at[0], at[1], at[2], at[3]};
    if (raster.bigEndian) std::reverse(bytes.begin(), bytes.end());
    if (raster.samples == Raster::Samples::kFloat32) {
      float value;
      std::memcpy(&value, bytes.data(), 4);
      return value > 0 ? static_cast<uint8_t>(std::min(value, 255.0f)) : 0;  // NaN is 0
    }
    int32_t value;
    std::memcpy(&value, bytes.data(), 4);
    return static_cast<uint8_t>(std::clamp(value, 0, 255));
  }

  const Raster& raster;
  const int tableSize;
};

// The stored pixel (x, y) goes to byte origin + x · right + y · down of the result.
struct Places {
  int64_t origin, right, down;

  explicit Places(const Raster& raster) {
    const auto [width, height] = raster.size;
    const auto row = 3 * raster.shown().width;
    const int o = raster.orientation;
    const bool fromRight = o == 2 || o == 3 || o == 7 || o == 8;  // stored columns run backwards
    const bool fromBelow = o == 3 || o == 4 || o == 6 || o == 7;
    right = o > 4 ? row : 3;
    down = o > 4 ? 3 : row;
    origin = (fromRight ? (width - 1) * right : 0) + (fromBelow ? (height - 1) * down : 0);
    if (fromRight) right = -right;
    if (fromBelow) down = -down;
  }
};

// A row of a piece: the bit at which each sample of the first pixel begins, and where the pixels go. In the result, one
// pixel begins `stepTo` bytes after the other.
struct Row {
  const uint8_t* bytes;
  std::array<int64_t, 4> bits;
  int64_t width;
  uint8_t* to;
  int64_t stepTo;
};

// Fills a row of any raster.
void fillAny(const Raster& raster, Row row) {
  const Reader reader(raster);
  const int channels = raster.channels();
  for (int64_t i = 0; i < row.width; i++, row.to += row.stepTo) {
    std::array<uint8_t, 4> values;
    for (int c = 0; c < channels; c++) {
      values[c] = reader.read(row.bytes, row.bits[c], c);
      row.bits[c] += raster.step;
    }
    switch (raster.colours) {
      case Raster::Colours::kRgb: std::copy_n(values.begin(), 3, row.to); break;
      case Raster::Colours::kCmyk: cmykToRgb(values.data(), row.to); break;
      case Raster::Colours::kYcbcr: ycbcrToRgb(values.data(), row.to); break;
      case Raster::Colours::kPremultiplied: unpremultiply(values.data(), row.to);
    }
  }
}

// Fills a row of RGB from bytes that need no table.
void fillBytes(const Raster& raster, Row row) {
  const auto *red = row.bytes + (row.bits[0] >> 3), *green = row.bytes + (row.bits[1] >> 3),
             *blue = row.bytes + (row.bits[2] >> 3);
  if (raster.step == 24 && row.stepTo == 3 && green == red + 1 && blue == red + 2) {
    std::copy_n(red, 3 * row.width, row.to);
    return;
  }
  const auto step = raster.step / 8;
  for (int64_t i = 0; i < row.width; i++, row.to += row.stepTo) {
    row.to[0] = red[i * step];
    row.to[1] = green[i * step];
    row.to[2] = blue[i * step];
  }
}

// Fills a row of RGB by tables, from samples of 8 or 16 bits. kBits of 0 stands for samples of fewer bits.
template <int kBits, bool kBigEndian>
void fillByTables(const Raster& raster, Row row) {
  const auto size = kBits == 16 ? 65536 : 256;
  const auto* tables = raster.tables.data();
  const int bits = raster.bits, mask = (1 << bits) - 1;
  auto [red, green, blue, none] = row.bits;
  const auto read = [&](int64_t bit) -> int {
    const auto* at = row.bytes + (bit >> 3);
    if constexpr (kBits == 8) return *at;
    if constexpr (kBits == 16) return kBigEndian ? at[0] << 8 | at[1] : at[1] << 8 | at[0];
    return (*at >> (8 - bits - (bit & 7))) & mask;
  };
  const bool one = red == green && red == blue;
  for (int64_t i = 0; i < row.width; i++, row.to += row.stepTo) {
    const int value = read(red);
    row.to[0] = tables[value];
    row.to[1] = tables[size + (one ? value : read(green))];
    row.to[2] = tables[2 * size + (one ? value : read(blue))];
    red += raster.step;
    green += raster.step;
    blue += raster.step;
  }
}

// Returns the fastest of the functions above for a raster.
auto rowFiller(const Raster& raster) -> void (*)(const Raster&, Row) {
  if (raster.colours != Raster::Colours::kRgb || raster.reversed || raster.bits == 32) return fillAny;
  if (raster.bits == 16) return raster.bigEndian ? fillByTables<16, true> : fillByTables<16, false>;
  if (raster.bits < 8) return fillByTables<0, false>;
  for (size_t i = 0; i < raster.tables.size(); i++) {
    if (raster.tables[i] != (i & 255)) return fillByTables<8, false>;
  }
  return fillBytes;
}

void fill(uint8_t* rgb, int64_t pixels, const std::array<uint8_t, 3>& colour) {
  if (colour[0] == colour[1] && colour[0] == colour[2]) {
    std::fill_n(rgb, 3 * pixels, colour[0]);
    return;
  }
  for (int64_t i = 0; i < pixels; i++) std::copy(colour.begin(), colour.end(), rgb + 3 * i);
}

}  // namespace

bool Raster::sound() const {
  const auto table = bits == 32 ? 0 : bits == 16 ? 65536 : 256;
  bool sound = within(size.width, 1, 1 << 30) && within(size.height, 1, 1 << 30) && size.pixels() <= 1 << 29;
  sound = sound && within(orientation, 1, 8) &&
          (bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16 || bits == 32);
  sound = sound && within(step, 0, 4096) && (bits < 8 || step % 8 == 0) && (bits >= 8 || step % bits == 0);
  sound = sound && tables.size() == static_cast<size_t>(table) * channels();
  for (int c = 0; c < channels(); c++)
    sound = sound && within(bitOffsets[c], 0, 4096) && bitOffsets[c] % std::min(bits, 8) == 0;
  for (const auto& piece : pieces) {
    sound = sound && within(piece.x, 0, size.width - 1) && within(piece.y, 0, size.height - 1);
    sound = sound && within(piece.width, 1, 1 << 30) && within(piece.height, 1, 1 << 30) && within(piece.stepX, 1, 8) &&
            within(piece.stepY, 1, 8);
    sound = sound && piece.x + (piece.width - 1) * piece.stepX < size.width &&
            piece.y + (piece.height - 1) * piece.stepY < size.height;
    sound = sound && within(piece.stride, 0, int64_t{1} << 33);
    for (int c = 0; c < channels(); c++) sound = sound && within(piece.offsets[c], 0, kLargest);
  }
  return sound;
}

int64_t toRgb(const Raster& raster, const uint8_t* bytes, size_t length, uint8_t* rgb) {
  const int channels = raster.channels();
  // The end of the piece's first row, in bytes from the start of `bytes`.
  const auto reachOf = [&](const Piece& piece) {
    int64_t reach = 0;
    for (int c = 0; c < channels; c++) {
      reach = std::max(
          reach, piece.offsets[c] + ((piece.width - 1) * raster.step + raster.bitOffsets[c] + raster.bits + 7) / 8);
    }
    return reach;
  };
  const auto isWhole = [&](const Piece& piece) {
    return piece.width == raster.size.width && piece.height == raster.size.height &&
           reachOf(piece) + (piece.height - 1) * piece.stride <= static_cast<int64_t>(length);
  };
  if (std::none_of(raster.pieces.begin(), raster.pieces.end(), isWhole)) fill(rgb, raster.size.pixels(), raster.blank);
  const Places places(raster);
  const auto fillRow = rowFiller(raster);
  int64_t missing = 0;
  for (const auto& piece : raster.pieces) {
    const auto reach = reachOf(piece);
    for (int64_t j = 0; j < piece.height; j++) {
      if (reach + j * piece.stride > static_cast<int64_t>(length)) {
        missing += (piece.height - j) * piece.width;
        break;
      }
      Row row{bytes,
              {},
              piece.width,
              rgb + places.origin + piece.x * places.right + (piece.y + j * piece.stepY) * places.down,
              piece.stepX * places.right};
      for (int c = 0; c < channels; c++) row.bits[c] = 8 * (piece.offsets[c] + j * piece.stride) + raster.bitOffsets[c];
      fillRow(raster, row);
    }
  }
  return missing;
}

}  // namespace cleanclip::pixels
