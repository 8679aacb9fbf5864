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

namespace cleanclip {

namespace {

// Sizes in bytes. A piece stays in the processor's cache from its checksum to its copy into the page cache.
constexpr int64_t kPiece = 1 << 20;
constexpr int64_t kEarly = 1 << 18;  // a piece of this size or more goes to the disk at once

struct Piece {
  size_t tensor;  // its index in the list
  const uint8_t* bytes;
  int64_t size;
  int64_t position;
  uint32_t crc = 0;
};

std::vector<Piece> piecesOf(const std::vector<at::Tensor>& tensors, Napi::Array positions) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < tensors.size(); i++) {
    const auto& tensor = tensors[i];
    if (!tensor.is_cpu() || !tensor.is_contiguous()) throw ArgumentError("Contiguous CPU tensors were expected here.");
    const auto* bytes = static_cast<const uint8_t*>(tensor.const_data_ptr());
    const auto size = static_cast<int64_t>(tensor.nbytes());
    const auto position = positions.Get(i).ToNumber().Int64Value();
    for (int64_t done = 0; done < size; done += kPiece)
      pieces.push_back({i, bytes + done, std::min(kPiece, size - done), position + done});
  }
  return pieces;
}

// writeTensors(fd, tensors, positions, crcs): writes the memory of contiguous CPU tensors of any dtype, on all threads.
// Each tensor has its position in the file (in bytes), and the CRC-32 of the bytes before it. Returns `crcs` with each
// CRC-32 continued over the tensor's bytes, or -errno when the system refuses.
napi_value writeTensors(const Napi::CallbackInfo& info) {
  const int fd = info[0].ToNumber().Int32Value();
  const auto tensors = tensorListArg(info.Env(), info[1]);
  auto pieces = piecesOf(tensors, info[2].As<Napi::Array>());

  std::atomic<size_t> next = 0;
  std::atomic<int> error = 0;
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    for (size_t i; error == 0 && (i = next++) < pieces.size();) {
      auto& [tensor, bytes, size, position, crc] = pieces[i];
      crc = crc32_z(0, bytes, size);
      if (const int failure = writeAt(fd, bytes, size, position)) error = failure;
    }
  });
  if (error != 0) return Napi::Number::New(info.Env(), -error);

  auto crcs = info[3].As<Napi::Array>();
  for (const auto& piece : pieces) {
    const auto before = crcs.Get(piece.tensor).ToNumber().Uint32Value();
    crcs.Set(piece.tensor, static_cast<double>(crc32_combine(before, piece.crc, piece.size)));
  }
  return crcs;
}

}  // namespace

int writeAt(int fd, const uint8_t* bytes, int64_t size, int64_t position) {
  for (int64_t done = 0; done < size;) {
    const auto written = pwrite(fd, bytes + done, size - done, position + done);
    if (written < 0 && errno != EINTR) return errno;
    done += std::max<int64_t>(written, 0);
  }
#ifdef __linux__
  // The disk works while the next pieces are prepared, so that the fsync at the end has little left to do. Only that
  // fsync reports errors of the disk.
  if (size >= kEarly) sync_file_range(fd, position, size, SYNC_FILE_RANGE_WRITE);
#endif
  return 0;
}

void exportTensorFile(Napi::Env, Napi::Object exports) { exportFunction(exports, "writeTensors", writeTensors); }

}  // namespace cleanclip
