#include "images/reading.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <new>
#include <string>

#include "exports.h"
#include "images/async_work.h"

namespace cleanclip {

namespace {

// The content of a file; without `bytes` when it could not be read.
struct Content {
  std::unique_ptr<uint8_t[]> bytes;
  size_t length = 0;
};

// Fills the content from an open file of at most `most` bytes.
Content readOpen(int descriptor, size_t most) {
  struct stat facts;
  if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) return {};
  const auto size = static_cast<size_t>(facts.st_size);
  if (size > most) return {};
  Content content{std::unique_ptr<uint8_t[]>(new (std::nothrow) uint8_t[size])};
  while (content.bytes && content.length < size) {
    const auto got = pread(descriptor, content.bytes.get() + content.length, size - content.length,
                           static_cast<off_t>(content.length));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return {};
    if (got == 0) break;  // another process has cut the file
    content.length += static_cast<size_t>(got);
  }
  return content;
}

Content read(const std::string& path, size_t most) {
  // Without O_NONBLOCK a FIFO without a writer, or a device, would block for ever.
  const int descriptor = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0) return {};
  auto content = readOpen(descriptor, most);
  close(descriptor);
  return content;
}

}  // namespace

void exportReading(Napi::Env, Napi::Object exports) {
  // readFile(path, maxBytes): a promise of the bytes of a regular file, as a Buffer, or of null when it is no such
  // file, is larger than maxBytes or cannot be read. One task of Node's pool opens, reads and closes the file.
  exportFunction(exports, "readFile", [](const Napi::CallbackInfo& info) -> napi_value {
    const auto path = info[0].ToString().Utf8Value();
    const auto most = static_cast<size_t>(info[1].ToNumber().Int64Value());
    return AsyncWork<Content>::start(
        Napi::Object::New(info.Env()), [=] { return read(path, most); },
        [](Napi::Env env, Content& content) -> napi_value {
          if (!content.bytes) return env.Null();
          return Napi::Buffer<uint8_t>::Copy(env, content.bytes.get(), content.length);
        });
  });
}

}  // namespace cleanclip
