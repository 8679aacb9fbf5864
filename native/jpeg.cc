#include "jpeg.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <chrono>
#include <csetjmp>
#include <cstdio>
#include <string>
#include <vector>

#ifdef CLEANCLIP_JPEG
#include <jpeglib.h>
#endif

#include "exports.h"
#include "images/async_work.h"
#include "tensor.h"

namespace cleanclip {

namespace {

// A decoded image, uint8 [H, W, 3], or the reason why there is none. Both are empty when there is no decoder.
struct Picture {
  at::Tensor pixels;
  std::string reason;
};

// Only libjpeg-turbo's jpeglib.h defines LIBJPEG_TURBO_VERSION. Another libjpeg computes other pixels.
#ifdef LIBJPEG_TURBO_VERSION

using Clock = std::chrono::steady_clock;

struct Limits {
  int64_t pixels;
  double seconds;
};

// libjpeg leaves a bad file by longjmp, which runs no destructors. So no step below makes a C++ object: the caller
// allocates the pixels between the steps.
class Decoder {
 public:
  Decoder(const uint8_t* data, size_t size, double seconds)
      : data(data),
        size(size),
        latest(Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {
    info.err = jpeg_std_error(&errors);
    info.client_data = this;
    errors.error_exit = [](j_common_ptr common) {
      std::longjmp(static_cast<Decoder*>(common->client_data)->escape, 1);
    };
    errors.emit_message = [](j_common_ptr, int) {};  // ignores warnings about flaws, as PIL does
    progress.progress_monitor = [](j_common_ptr common) {
      auto& self = *static_cast<Decoder*>(common->client_data);
      if (Clock::now() < self.latest) return;
      self.late = true;
      std::longjmp(self.escape, 1);
    };
  }
  ~Decoder() { jpeg_destroy_decompress(&info); }
  Decoder(const Decoder&) = delete;

  // Returns true for a grey, colour or CMYK image, whose size is then known.
  bool read_header() {
    if (setjmp(escape) != 0) return false;
    jpeg_create_decompress(&info);
    info.progress = &progress;
    jpeg_mem_src(&info, data, size);
    jpeg_read_header(&info, TRUE);
    info.out_color_space = info.num_components == 4 ? JCS_CMYK : JCS_RGB;
    if (info.num_components == 4) inks.resize(4 * static_cast<size_t>(info.image_width));
    columns = info.image_width;
    lines = info.image_height;
    return info.num_components == 1 || info.num_components == 3 || info.num_components == 4;
  }

  // The size from the first header. A second header within the pixels changes libjpeg's size before it is refused.
  int64_t height() const { return lines; }
  int64_t width() const { return columns; }
  bool is_late() const { return late; }
  std::string reason() {
    char text[JMSG_LENGTH_MAX];
    errors.format_message(reinterpret_cast<j_common_ptr>(&info), text);
    return text;
  }

  // Fills height · width · 3 bytes as far as the file can be decoded; returns the number of rows decoded.
  int64_t read_pixels(uint8_t* pixels) {
    if (setjmp(escape) != 0) return rows;
    jpeg_start_decompress(&info);
    if (info.output_width != columns || info.output_height != lines) return 0;
    while (info.output_scanline < info.output_height) {
      auto* to = pixels + static_cast<size_t>(info.output_scanline) * columns * 3;
      JSAMPROW row = inks.empty() ? to : inks.data();
      jpeg_read_scanlines(&info, &row, 1);
      if (!inks.empty()) to_rgb(to);
      rows = info.output_scanline;
    }
    jpeg_finish_decompress(&info);
    return rows;
  }

 private:
  // Converts a row of CMYK as PIL does. Inks are stored inverted, as by Adobe; each colour is what its ink and black
  // leave.
  void to_rgb(uint8_t* to) const {
    for (size_t x = 0; x < columns; x++, to += 3) {
      const auto* from = inks.data() + 4 * x;
      const int light = from[3];
      for (int c = 0; c < 3; c++) {
        const int product = (255 - from[c]) * light + 128;
        to[c] = static_cast<uint8_t>(std::max(0, light - (((product >> 8) + product) >> 8)));
      }
    }
  }

  const uint8_t* data;
  const size_t size;
  const Clock::time_point latest;
  uint32_t columns = 0, lines = 0;
  bool late = false;
  volatile int64_t rows = 0;
  std::vector<uint8_t> inks;
  jpeg_decompress_struct info{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf escape;
};

Picture decode(const uint8_t* data, size_t size, Limits limits) {
  Decoder decoder(data, size, limits.seconds);
  if (!decoder.read_header()) return {{}, "it is no JPEG that can be decoded: " + decoder.reason()};
  if (decoder.height() * decoder.width() > limits.pixels) return {{}, "it has too many pixels"};
  auto pixels = at::empty({decoder.height(), decoder.width(), 3}, at::kByte);
  const auto rows = decoder.read_pixels(pixels.mutable_data_ptr<uint8_t>());
  if (decoder.is_late()) return {{}, "decoding it takes too long"};
  if (rows == 0) return {{}, "none of its rows can be decoded: " + decoder.reason()};
  if (rows < decoder.height()) pixels.narrow(0, rows, decoder.height() - rows).zero_();
  return {pixels, {}};
}

#else

struct Limits {
  int64_t pixels;
  double seconds;
};

Picture decode(const uint8_t*, size_t, Limits) { return {}; }

#endif

}  // namespace

void exportJpeg(Napi::Env, Napi::Object exports) {
  // decodeJpeg(bytes, maxPixels, maxSeconds, async): the image, uint8 [H, W, 3] on the CPU. If it cannot be decoded, a
  // string: the second half of a sentence that says why. Without libjpeg-turbo, null. With `async`, a promise of these.
  exportFunction(exports, "decodeJpeg", [](const Napi::CallbackInfo& info) -> napi_value {
    const auto bytes = info[0].As<Napi::Uint8Array>();
    const auto* data = bytes.Data();
    const auto size = bytes.ByteLength();
    const Limits limits{info[1].ToNumber().Int64Value(), info[2].ToNumber().DoubleValue()};
    return syncOrAsync<Picture>(
        info[3].ToBoolean(), bytes, [=] { return decode(data, size, limits); },
        [](Napi::Env env, Picture& picture) -> napi_value {
          if (picture.pixels.defined()) return wrapTensor(env, std::move(picture.pixels));
          if (picture.reason.empty()) return env.Null();
          return Napi::String::New(env, picture.reason);
        });
  });
}

}  // namespace cleanclip
