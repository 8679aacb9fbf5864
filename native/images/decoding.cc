#include "images/decoding.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "exports.h"
#include "images/async_work.h"
#include "pixels/raster.h"
#include "pixels/unpack.h"
#include "tensor.h"

namespace cleanclip {

namespace {

constexpr int64_t kMostBytes = int64_t{1} << 32;  // limit of the unpacked size

int64_t wholeNumber(const Napi::Value& value) {
  const auto number = value.ToNumber().DoubleValue();
  if (!(number >= 0 && number <= 0x1p45 && number == std::floor(number)))
    throw ArgumentError("An integer was expected here.");
  return static_cast<int64_t>(number);
}

int64_t field(const Napi::Object& object, const char* name) { return wholeNumber(object.Get(name)); }

Napi::Uint8Array bytesArg(const Napi::Value& value) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw ArgumentError("Bytes were expected here.");
  return value.As<Napi::Uint8Array>();
}

pixels::Raster rasterArg(const Napi::Value& value) {
  using pixels::Raster;
  if (!value.IsObject()) throw ArgumentError("A description of a picture was expected here.");
  const auto object = value.As<Napi::Object>();
  Raster raster;
  raster.size = {field(object, "width"), field(object, "height")};
  raster.orientation = static_cast<int>(std::min<int64_t>(9, field(object, "orientation")));
  raster.bits = static_cast<int>(std::min<int64_t>(64, field(object, "bits")));
  const auto samples = object.Get("samples").ToString().Utf8Value();
  raster.samples = samples == "float"    ? Raster::Samples::kFloat32
                   : samples == "signed" ? Raster::Samples::kSigned32
                                         : Raster::Samples::kUnsigned;
  const auto colours = object.Get("colours").ToString().Utf8Value();
  raster.colours = colours == "cmyk"            ? Raster::Colours::kCmyk
                   : colours == "ycbcr"         ? Raster::Colours::kYcbcr
                   : colours == "premultiplied" ? Raster::Colours::kPremultiplied
                                                : Raster::Colours::kRgb;
  raster.bigEndian = object.Get("bigEndian").ToBoolean();
  raster.reversed = object.Get("reversed").ToBoolean();
  raster.step = field(object, "step");
  const auto bitOffsets = object.Get("bitOffsets").As<Napi::Array>();
  const auto blank = object.Get("blank").As<Napi::Array>();
  for (uint32_t c = 0; c < 4; c++) raster.bitOffsets[c] = c < bitOffsets.Length() ? wholeNumber(bitOffsets.Get(c)) : 0;
  for (uint32_t c = 0; c < 3; c++) raster.blank[c] = static_cast<uint8_t>(wholeNumber(blank.Get(c)));
  const auto tables = bytesArg(object.Get("tables"));
  raster.tables.assign(tables.Data(), tables.Data() + tables.ByteLength());
  const auto numbers = object.Get("pieces");  // eleven numbers per piece, in the order of pixels::Piece
  if (!numbers.IsTypedArray() || numbers.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array)
    throw ArgumentError("Pieces of a picture were expected here.");
  const auto pieces = numbers.As<Napi::Float64Array>();
  for (size_t i = 0; i + 11 <= pieces.ElementLength(); i += 11) {
    std::array<int64_t, 11> n;
    for (size_t j = 0; j < 11; j++) {
      const double number = pieces[i + j];
      if (!(number >= 0 && number <= 0x1p45)) throw ArgumentError("A piece of a picture lies outside of any file.");
      n[j] = static_cast<int64_t>(number);
    }
    raster.pieces.push_back({n[0], n[1], n[2], n[3], n[4], n[5], n[6], {n[7], n[8], n[9], n[10]}});
  }
  if (!raster.sound()) throw ArgumentError("The description of a picture contradicts itself.");
  return raster;
}

struct Decoded {
  at::Tensor pixels;
  int64_t missing = 0;
};

Decoded rasterise(const pixels::Raster& raster, uint8_t* bytes, size_t length, int64_t filtered) {
  if (filtered > 0) {
    // The bytes hold one piece after another; each row begins with the byte of its filter.
    for (const auto& piece : raster.pieces) {
      if (piece.offsets[0] < 1 || piece.stride < 2) throw ArgumentError("Each row of a PNG begins with its filter.");
      const auto start = static_cast<size_t>(piece.offsets[0] - 1);
      const auto whole =
          start >= length ? 0 : std::min<int64_t>(piece.height, static_cast<int64_t>(length - start) / piece.stride);
      const auto known = pixels::unfilter(bytes + start, whole, piece.stride - 1, filtered);
      if (known < piece.height) {
        length = std::min(length, start + static_cast<size_t>(known * piece.stride));
        break;
      }
    }
  }
  const auto shown = raster.shown();
  Decoded decoded{at::empty({shown.height, shown.width, 3}, at::kByte)};
  decoded.missing = pixels::toRgb(raster, bytes, length, decoded.pixels.mutable_data_ptr<uint8_t>());
  return decoded;
}

// rasterToRgb(bytes, raster, filtered, async): { pixels, missing }, or a promise of it. `pixels` is uint8 [H, W, 3] on
// the CPU; `missing` counts the pixels for which there are no bytes. `filtered` is the bytes per pixel of PNG's
// filters, which are undone in place in `bytes`; it is 0 without filters.
napi_value rasterToRgb(const Napi::CallbackInfo& info) {
  auto bytes = bytesArg(info[0]);
  const auto raster = std::make_shared<pixels::Raster>(rasterArg(info[1]));
  const auto filtered = std::min<int64_t>(64, wholeNumber(info[2]));
  auto* data = bytes.Data();
  const auto length = bytes.ByteLength();
  return syncOrAsync<Decoded>(
      info[3].ToBoolean(), bytes, [=] { return rasterise(*raster, data, length, filtered); },
      [](Napi::Env env, Decoded& decoded) -> napi_value {
        auto result = Napi::Object::New(env);
        result.Set("missing", static_cast<double>(decoded.missing));
        result.Set("pixels", Napi::Value(env, wrapTensor(env, std::move(decoded.pixels))));
        return result;
      });
}

struct Unpacking {
  std::string kind;
  int64_t size;                               // of the result, in bytes
  std::vector<std::array<int64_t, 3>> parts;  // [start, packed length, unpacked length] of each, in bytes
  std::array<int64_t, 5> numbers;             // depend on `kind`; 0 where JavaScript gave fewer
};

using Unpacked = std::optional<std::vector<uint8_t>>;

Unpacked unpack(const Unpacking& what, pixels::Bytes from) {
  const auto& [kind, size, parts, n] = what;
  std::vector<uint8_t> to(size);
  if (kind == "gif") {
    std::fill(to.begin(), to.end(), static_cast<uint8_t>(n[4]));
    pixels::unpackGif({from.data + parts[0][0], static_cast<size_t>(parts[0][1])}, static_cast<int>(n[0]), n[1] != 0,
                      n[2], n[3], to.data());
    return to;
  }
  if (kind == "bmp")
    return pixels::unpackBmpRle(from, parts[0][0], n[0] != 0, n[1], n[2], to.data()) ? Unpacked(std::move(to))
                                                                                     : std::nullopt;
  if (kind == "plain") {
    const pixels::Bytes text{from.data + parts[0][0], static_cast<size_t>(parts[0][1])};
    return pixels::unpackPlain(text, n[0] != 0, static_cast<uint32_t>(n[1]), size / 2, to.data())
               ? Unpacked(std::move(to))
               : std::nullopt;
  }
  auto* place = to.data();
  for (const auto& [at, length, room] : parts) {
    const pixels::Bytes part{from.data + at, static_cast<size_t>(length)};
    bool whole = true;
    if (kind == "lzw")
      whole = pixels::unpackTiffLzw(part, place, room);
    else if (kind == "packbits")
      whole = pixels::unpackPackBits(part, place, room);
    else
      std::copy_n(part.data, std::min(length, room), place);
    if (!whole) return std::nullopt;
    // numbers: bytes per row, samples per pixel, bits per sample, big endian; 0 samples: the file has no differences
    if (n[1] > 0 && n[0] > 0)
      pixels::undoDifferences(place, room / n[0], n[0], static_cast<int>(n[1]), static_cast<int>(n[2]), n[3] != 0);
    place += room;
  }
  return to;
}

// unpackPixels(kind, bytes, size, parts, numbers): a promise of a Buffer of `size` bytes, or of null when the packed
// bytes are wrong or too few. `kind` is gif, bmp, plain (Netpbm), lzw, packbits or another name, which copies the
// bytes.
napi_value unpackPixels(const Napi::CallbackInfo& info) {
  const auto bytes = bytesArg(info[1]);
  auto what = std::make_shared<Unpacking>();
  what->kind = info[0].ToString().Utf8Value();
  what->size = wholeNumber(info[2]);
  if (what->size > kMostBytes) throw ArgumentError("A picture of less than 4 GiB was expected here.");
  const auto parts = info[3].As<Napi::Array>();
  int64_t total = 0;
  for (uint32_t i = 0; i + 3 <= parts.Length(); i += 3) {
    what->parts.push_back({wholeNumber(parts.Get(i)), wholeNumber(parts.Get(i + 1)), wholeNumber(parts.Get(i + 2))});
    const auto& [at, length, room] = what->parts.back();
    total += room;
    if (at + length > static_cast<int64_t>(bytes.ByteLength()) || total > what->size)
      throw ArgumentError("A part lies outside of the bytes.");
  }
  const auto numbers = info[4].As<Napi::Array>();
  for (uint32_t i = 0; i < 5; i++) what->numbers[i] = i < numbers.Length() ? wholeNumber(numbers.Get(i)) : 0;
  const auto& n = what->numbers;
  const auto within = [](int64_t value, int64_t least, int64_t most) { return value >= least && value <= most; };
  const auto side = int64_t{1} << 28;
  const bool sound = what->kind == "gif"   ? within(n[0], 0, 11) && within(n[2], 1, side) && within(n[3], 1, side) &&
                                                 n[2] * n[3] == what->size
                     : what->kind == "bmp" ? within(n[1], 1, side) && within(n[2], 1, side) && n[1] * n[2] == what->size
                     : what->kind == "plain" ? what->size % 2 == 0 && n[1] <= 65535
                                             : n[1] <= 64;
  if (!sound || what->parts.empty()) throw ArgumentError("The description of packed pixels contradicts itself.");
  const pixels::Bytes from{bytes.Data(), bytes.ByteLength()};
  return AsyncWork<Unpacked>::start(
      bytes, [=] { return unpack(*what, from); },
      [](Napi::Env env, Unpacked& unpacked) -> napi_value {
        if (!unpacked) return env.Null();
        auto kept = std::make_unique<std::vector<uint8_t>>(std::move(*unpacked));
        auto* data = kept->data();
        const auto length = kept->size();
        return Napi::Buffer<uint8_t>::NewOrCopy(env, data, length,
                                                [kept = kept.release()](Napi::Env, uint8_t*) { delete kept; });
      });
}

}  // namespace

void exportDecoding(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "rasterToRgb", rasterToRgb);
  exportFunction(exports, "unpackPixels", unpackPixels);
}

}  // namespace cleanclip
