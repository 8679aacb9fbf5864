#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "exports.h"
#include "images/async_work.h"
#include "pages.h"
#include "tensor.h"
#include "tensor_file.h"

namespace cleanclip {

namespace {

constexpr int64_t kPiece = 1 << 20;  // bytes; a piece stays in the processor's cache from its copy to its checksum
constexpr napi_type_tag kImageTag{0x6b1e0c5a94d84f0e, 0xb1a3f2d6c07e4893};

// Bytes, and their position in a file.
struct Part {
  const uint8_t* bytes;
  int64_t size;
  int64_t position;
};

// The content of a file that is yet to be written: copies of tensors.
struct FileImage {
  std::vector<at::Tensor> copies;
  std::vector<Part> parts;
};

FileImage& imageArg(napi_env env, napi_value value) {
  bool tagged = false;
  if (napi_check_object_type_tag(env, value, &kImageTag, &tagged) != napi_ok || !tagged)
    throw ArgumentError("The image of a file was expected here.");
  void* data = nullptr;
  check(napi_get_value_external(env, value, &data));
  return *static_cast<FileImage*>(data);
}

napi_value createFileImage(const Napi::CallbackInfo& info) {
  auto external =
      Napi::External<FileImage>::New(info.Env(), new FileImage, [](Napi::Env, FileImage* image) { delete image; });
  check(napi_type_tag_object(info.Env(), external, &kImageTag));
  return external;
}

struct Piece {
  size_t tensor;        // its index in the list
  const uint8_t* from;  // null if the copy is already made
  uint8_t* to;
  int64_t size;
  uint32_t crc = 0;
};

// copyToImage(image, tensors, positions): copies contiguous tensors of any device on all threads, each for its position
// in the file. Returns the CRC-32 of the bytes of each.
napi_value copyToImage(const Napi::CallbackInfo& info) {
  auto& image = imageArg(info.Env(), info[0]);
  FileImage added;  // is freed if there is not enough memory for all
  const auto tensors = tensorListArg(info.Env(), info[1]);
  const auto positions = info[2].As<Napi::Array>();
  std::vector<Piece> pieces;
  for (size_t i = 0; i < tensors.size(); i++) {
    const auto& tensor = tensors[i];
    if (!tensor.is_contiguous()) throw ArgumentError("Contiguous tensors were expected here.");
    const auto copy = at::empty(tensor.sizes(), tensor.options().device(at::kCPU));
    if (!tensor.is_cpu()) copy.copy_(tensor);
    const auto* from = tensor.is_cpu() ? static_cast<const uint8_t*>(tensor.const_data_ptr()) : nullptr;
    auto* to = static_cast<uint8_t*>(copy.data_ptr());
    const auto size = static_cast<int64_t>(copy.nbytes());
    for (int64_t done = 0; done < size; done += kPiece)
      pieces.push_back({i, from == nullptr ? nullptr : from + done, to + done, std::min(kPiece, size - done)});
    added.copies.push_back(copy);
    added.parts.push_back({to, size, positions.Get(i).ToNumber().Int64Value()});
  }

  const SmallPages small(added.copies);
  std::atomic<size_t> next = 0;
  at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
    for (size_t i; (i = next++) < pieces.size();) {
      auto& [tensor, from, to, size, crc] = pieces[i];
      populate(to, size);
      if (from != nullptr) std::memcpy(to, from, size);
      crc = crc32_z(0, to, size);
    }
  });
  image.copies.insert(image.copies.end(), added.copies.begin(), added.copies.end());
  image.parts.insert(image.parts.end(), added.parts.begin(), added.parts.end());

  std::vector<uint32_t> crcs(tensors.size());
  for (const auto& piece : pieces) crcs[piece.tensor] = crc32_combine(crcs[piece.tensor], piece.crc, piece.size);
  auto result = Napi::Array::New(info.Env(), crcs.size());
  for (size_t i = 0; i < crcs.size(); i++) result.Set(i, static_cast<double>(crcs[i]));
  return result;
}

// Does the same as Node's fsync. Returns 0, or the errno.
int syncToDisk(int fd) {
#ifdef __APPLE__
  if (fcntl(fd, F_FULLFSYNC) == 0) return 0;
#endif
  return fsync(fd) == 0 ? 0 : errno;
}

// Renames a file, and syncs the folder where the system can do that. Returns 0, or the errno.
int renameOnDisk(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) return errno;
  const int folder = open(std::filesystem::path(to).parent_path().c_str(), O_RDONLY | O_CLOEXEC);
  if (folder >= 0) {
    syncToDisk(folder);
    close(folder);
  }
  return 0;
}

// Returns 0, or the errno.
int writeParts(int fd, const std::vector<Part>& parts) {
  for (const auto& [bytes, size, position] : parts) {
    for (int64_t done = 0; done < size; done += kPiece) {
      if (const int failure = writeAt(fd, bytes + done, std::min(kPiece, size - done), position + done)) return failure;
    }
  }
  return 0;
}

// writeImage(image, bytes, positions, fd, temporary, path): writes the content of the image, and these Uint8Arrays,
// each at its position in the file. Then it syncs the file to the disk, and renames it from `temporary` to `path`. One
// thread of the pool does all of that, and a process that exits waits for it. The promise gets 0, or -errno when the
// system refuses. The image is empty afterwards.
napi_value writeImage(const Napi::CallbackInfo& info) {
  const auto image = std::make_shared<FileImage>(std::move(imageArg(info.Env(), info[0])));
  const auto bytes = info[1].As<Napi::Array>();
  const auto positions = info[2].As<Napi::Array>();
  for (uint32_t i = 0; i < bytes.Length(); i++) {
    const auto part = bytes.Get(i).As<Napi::Uint8Array>();
    image->parts.push_back({part.Data(), static_cast<int64_t>(part.ByteLength()), positions.Get(i).ToNumber()});
  }
  const int fd = info[3].ToNumber().Int32Value();
  const auto temporary = info[4].ToString().Utf8Value();
  const auto path = info[5].ToString().Utf8Value();
  return AsyncWork<int>::start(
      bytes,
      [=] {
        int failure = writeParts(fd, image->parts);
        image->copies.clear();  // the memory is free while the disk works
        if (failure == 0) failure = syncToDisk(fd);
        if (failure == 0) failure = renameOnDisk(temporary, path);
        return -failure;
      },
      [](Napi::Env env, int& result) -> napi_value { return Napi::Number::New(env, result); });
}

}  // namespace

void exportFileImage(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "createFileImage", createFileImage);
  exportFunction(exports, "copyToImage", copyToImage);
  exportFunction(exports, "writeImage", writeImage);
}

}  // namespace cleanclip
