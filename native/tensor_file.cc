#include "tensor_file.h"

#include <ATen/Parallel.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <vector>

#include "exports.h"
#include "tensor.h"

// Node exports its zlib to addons, with the processor's CRC instructions, but not its header.
extern "C" {
unsigned long crc32_z(unsigned long crc, const unsigned char* bytes, size_t size);
unsigned long crc32_combine(unsigned long first, unsigned long second, long second_size);
}

namespace cleanclip {

namespace {

constexpr int64_t kPiece = 1 << 20;  // bytes; the copy to the page cache finds in the processor's what the checksum has just read
constexpr int64_t kEarly = 1 << 18;  // bytes from which a piece is sent to the disk at once

// 0, or the errno.
int writeAt(int fd, const uint8_t* bytes, int64_t size, int64_t position) {
  for (int64_t done = 0; done < size;) {
    const auto written = pwrite(fd, bytes + done, size - done, position + done);
    if (written < 0 && errno != EINTR) return errno;
    done += std::max<int64_t>(written, 0);
  }
#ifdef __linux__
  // The disk works while the next pieces are prepared, so that the fsync at the end finds little left. Only that tells whether it succeeded.
  if (size >= kEarly) sync_file_range(fd, position, size, SYNC_FILE_RANGE_WRITE);
#endif
  return 0;
}

// writeTensor(fd, position, tensor, crc): writes the memory of a contiguous CPU tensor at that place of a file, on all threads.
// Returns the CRC-32 of what `crc` stands for and these bytes; -errno when the system refuses.
napi_value writeTensor(const Napi::CallbackInfo& info) {
  const int fd = info[0].ToNumber().Int32Value();
  const auto position = info[1].ToNumber().Int64Value();
  const auto& tensor = tensorArg(info.Env(), info[2]);
  if (!tensor.is_cpu() || !tensor.is_contiguous()) throw ArgumentError("A contiguous CPU tensor was expected here.");
  const auto* bytes = static_cast<const uint8_t*>(tensor.const_data_ptr());
  const auto size = static_cast<int64_t>(tensor.nbytes());
  const auto sizeOf = [&](int64_t piece) { return std::min(kPiece, size - piece * kPiece); };

  std::vector<uint32_t> crcs((size + kPiece - 1) / kPiece);
  std::atomic<int> error = 0;
  at::parallel_for(0, static_cast<int64_t>(crcs.size()), 1, [&](int64_t begin, int64_t end) {
    for (auto piece = begin; piece < end && error == 0; piece++) {
      const auto* start = bytes + piece * kPiece;
      crcs[piece] = crc32_z(0, start, sizeOf(piece));
      if (const int failure = writeAt(fd, start, sizeOf(piece), position + piece * kPiece)) error = failure;
    }
  });
  if (error != 0) return Napi::Number::New(info.Env(), -error);

  auto crc = static_cast<unsigned long>(info[3].ToNumber().Uint32Value());
  for (size_t piece = 0; piece < crcs.size(); piece++) crc = crc32_combine(crc, crcs[piece], sizeOf(piece));
  return Napi::Number::New(info.Env(), static_cast<double>(crc));
}

}  // namespace

void exportTensorFile(Napi::Env, Napi::Object exports) { exportFunction(exports, "writeTensor", writeTensor); }

}  // namespace cleanclip
