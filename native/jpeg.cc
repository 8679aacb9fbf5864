#include "jpeg.h"

#include <ATen/ops/empty.h>

#include <csetjmp>
#include <cstdio>
#include <optional>

#ifdef CLEANCLIP_JPEG
#include <jpeglib.h>
#endif

#include "exports.h"
#include "tensor.h"

namespace cleanclip {

namespace {

// LIBJPEG_TURBO_VERSION is defined by its own jpeglib.h alone: another libjpeg computes other pixels.
#ifdef LIBJPEG_TURBO_VERSION

// libjpeg leaves a file it cannot decode by a jump, over which no C++ object may be made: so the pixels are allocated between the steps.
class Decoder {
 public:
  Decoder(const uint8_t* data, size_t size) : data(data), size(size) {
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = [](j_common_ptr common) { std::longjmp(static_cast<Decoder*>(common->client_data)->escape, 1); };
    errors.emit_message = [](j_common_ptr common, int level) { common->err->num_warnings += level < 0; };
  }
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;

  // False unless it is a grey or colour image, whose size is then known.
  bool read_header() {
    if (setjmp(escape) != 0) return false;
    jpeg_create_decompress(&info);
    jpeg_mem_src(&info, data, size);
    jpeg_read_header(&info, TRUE);
    info.out_color_space = JCS_RGB;
    return info.num_components == 1 || info.num_components == 3;
  }

  int64_t height() const { return info.image_height; }
  int64_t width() const { return info.image_width; }

  // Fills height · width · 3 bytes; false if anything was amiss.
  bool read_pixels(uint8_t* pixels) {
    if (setjmp(escape) != 0) return false;
    jpeg_start_decompress(&info);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = pixels + static_cast<size_t>(info.output_scanline) * info.output_width * 3;
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    return errors.num_warnings == 0;
  }

 private:
  const uint8_t* data;
  const size_t size;
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  std::jmp_buf escape;
};

std::optional<at::Tensor> decode(const uint8_t* data, size_t size, int64_t max_pixels) {
  Decoder decoder(data, size);
  if (!decoder.read_header() || decoder.height() * decoder.width() > max_pixels) return std::nullopt;
  auto pixels = at::empty({decoder.height(), decoder.width(), 3}, at::kByte);
  if (!decoder.read_pixels(pixels.mutable_data_ptr<uint8_t>())) return std::nullopt;
  return pixels;
}

#else

std::optional<at::Tensor> decode(const uint8_t*, size_t, int64_t) { return std::nullopt; }

#endif

}  // namespace

void exportJpeg(Napi::Env, Napi::Object exports) {
  // decodeJpeg(bytes, maxPixels): uint8 [H, W, 3], or null for what is not a flawless grey or colour JPEG
  exportFunction(exports, "decodeJpeg", [](const Napi::CallbackInfo& info) -> napi_value {
    const auto bytes = info[0].As<Napi::Uint8Array>();
    auto pixels = decode(bytes.Data(), bytes.ByteLength(), info[1].ToNumber().Int64Value());
    if (!pixels) return info.Env().Null();
    return wrapTensor(info.Env(), std::move(*pixels));
  });
}

}  // namespace cleanclip
