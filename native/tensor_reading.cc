#include <ATen/EmptyTensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "exports.h"
#include "pages.h"
#include "tensor.h"
#include "tensor_file.h"

namespace cleanclip {

namespace {

constexpr int64_t kPiece = 1 << 20;  // bytes that a thread reads at once
constexpr size_t kMostThreads = 8;
constexpr int kCut = 1;  // the file ends before the tensors do

struct Piece {
  uint8_t* bytes;
  int64_t size;
  int64_t position;
};

std::vector<Piece> piecesOf(const std::vector<at::Tensor>& tensors, Napi::Array positions) {
  std::vector<Piece> pieces;
  for (size_t i = 0; i < tensors.size(); i++) {
    const auto& tensor = tensors[i];
    if (!tensor.is_cpu() || !tensor.is_contiguous()) throw ArgumentError("Contiguous CPU tensors were expected here.");
    auto* bytes = static_cast<uint8_t*>(tensor.data_ptr());
    const auto size = static_cast<int64_t>(tensor.nbytes());
    const auto position = positions.Get(i).ToNumber().Int64Value();
    for (int64_t done = 0; done < size; done += kPiece)
      pieces.push_back({bytes + done, std::min(kPiece, size - done), position + done});
  }
  return pieces;
}

// Returns 0, -errno or kCut.
int readAt(int fd, const Piece& piece) {
  for (int64_t done = 0; done < piece.size;) {
    const auto got = pread(fd, piece.bytes + done, piece.size - done, piece.position + done);
    if (got == 0) return kCut;
    if (got < 0 && errno != EINTR) return -errno;
    done += std::max<int64_t>(got, 0);
  }
  return 0;
}

// readTensors(fd, tensors, positions): fills the memory of contiguous CPU tensors of any dtype, each from its position
// in the file (in bytes). Returns 0, -errno when the system refuses, or 1 when the file ends before they do. It uses
// several threads: disks and networks answer several requests at once, and new pages take most of the processor's time.
napi_value readTensors(const Napi::CallbackInfo& info) {
  const int fd = info[0].ToNumber().Int32Value();
  const auto tensors = tensorListArg(info.Env(), info[1]);
  const auto pieces = piecesOf(tensors, info[2].As<Napi::Array>());
  const SmallPages small(tensors);

  std::atomic<size_t> next = 0;
  std::atomic<int> error = 0;
  const auto work = [&] {
    for (size_t i; error == 0 && (i = next++) < pieces.size();) {
      populate(pieces[i].bytes, pieces[i].size);
      if (const int failure = readAt(fd, pieces[i])) error = failure;
    }
  };
  std::vector<std::thread> others;
  for (size_t i = 1; i < std::min({kMostThreads, size_t{std::thread::hardware_concurrency()}, pieces.size()}); i++)
    others.emplace_back(work);
  work();
  for (auto& thread : others) thread.join();
  return Napi::Number::New(info.Env(), error);
}

// A file that is mapped into memory as long as a tensor uses it. What is written there stays in the process.
struct Mapping {
  Mapping(int fd, int64_t size) : size(size), bytes(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0)) {}
  ~Mapping() {
    if (bytes != MAP_FAILED) munmap(bytes, size);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const int64_t size;
  void* const bytes;
};

// mapFile(fd, size): the first `size` bytes of a file as a CPU tensor, uint8 [size]. Writing to it does not change the
// file. Throws ArgumentError when the system refuses.
napi_value mapFile(const Napi::CallbackInfo& info) {
  const auto mapping = std::make_shared<Mapping>(info[0].ToNumber().Int32Value(), info[1].ToNumber().Int64Value());
  if (mapping->bytes == MAP_FAILED)
    throw ArgumentError("The file cannot be mapped: " + std::generic_category().message(errno) + ".");
  return wrapTensor(info.Env(), at::from_blob(mapping->bytes, {mapping->size}, [mapping](void*) {}, at::kByte));
}

// A part of the bytes of `whole`, which it keeps alive. When it goes, its pages return to the system.
struct Window {
  at::Tensor whole;
  char* bytes;
  int64_t size;

  static void free(void* context) {
    const std::unique_ptr<Window> window(static_cast<Window*>(context));
    Pages(window->bytes, window->size).advise(MADV_DONTNEED);
  }
};

// emptyBytes(size): a CPU tensor, uint8 [size], whose bytes are not set; memory for a record of a file
napi_value emptyBytes(const Napi::CallbackInfo& info) {
  return wrapTensor(info.Env(), at::empty({info[0].ToNumber().Int64Value()}, at::kByte));
}

// windowOf(bytes, position, size): the `size` bytes from `position` on of a tensor of mapFile, as uint8 [size] whose
// storage is that part alone. Parts must not overlap: a part that is freed drops what was written to its pages.
napi_value windowOf(const Napi::CallbackInfo& info) {
  const auto whole = tensorArg(info.Env(), info[0]);
  const auto position = info[1].ToNumber().Int64Value();
  const auto size = info[2].ToNumber().Int64Value();
  if (whole.scalar_type() != at::kByte || !whole.is_cpu() || !whole.is_contiguous())
    throw ArgumentError("A CPU tensor of bytes was expected here.");
  if (position < 0 || size < 0 || size > whole.numel() || position > whole.numel() - size)
    throw ArgumentError("A part of the tensor was expected here.");
  auto tensor = at::empty({0}, at::kByte);
  if (size == 0) return wrapTensor(info.Env(), std::move(tensor));
  auto* bytes = static_cast<char*>(whole.data_ptr()) + position;
  at::DataPtr data(bytes, new Window{whole, bytes, size}, Window::free, at::kCPU);
  at::Storage storage(at::Storage::use_byte_size_t(), size, std::move(data), at::getCPUAllocator(), /*resizable=*/true);
  tensor.set_(std::move(storage), 0, {size}, {1});
  return wrapTensor(info.Env(), std::move(tensor));
}

std::vector<int64_t> numbersOf(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<int64_t> result;
  for (uint32_t i = 0; i < array.Length(); i++) result.push_back(array.Get(i).ToNumber().Int64Value());
  return result;
}

// tensorIn(bytes, dtype, offset, shape, strides): a tensor of this dtype and shape in the storage of a uint8 tensor;
// `offset` and `strides` count elements. It is not a view: it has its own version counter, and may be a parameter.
napi_value tensorIn(const Napi::CallbackInfo& info) {
  const auto bytes = tensorArg(info.Env(), info[0]);
  const auto dtype = dtypeFromName(info[1].ToString().Utf8Value());
  const auto offset = info[2].ToNumber().Int64Value();
  const auto shape = numbersOf(info[3]);
  const auto strides = numbersOf(info[4]);
  const auto needed = at::detail::computeStorageNbytes(shape, strides, c10::elementSize(dtype), offset);
  if (offset < 0 || needed > bytes.storage().nbytes())
    throw ArgumentError("A tensor within its storage was expected here.");
  auto tensor = at::empty({0}, at::TensorOptions(dtype));
  tensor.set_(bytes.storage(), offset, shape, strides);
  return wrapTensor(info.Env(), std::move(tensor));
}

}  // namespace

void exportTensorReading(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "readTensors", readTensors);
  exportFunction(exports, "mapFile", mapFile);
  exportFunction(exports, "emptyBytes", emptyBytes);
  exportFunction(exports, "windowOf", windowOf);
  exportFunction(exports, "tensorIn", tensorIn);
}

}  // namespace cleanclip
