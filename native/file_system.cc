#include "file_system.h"

#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "exports.h"

namespace cleanclip {

void exportFileSystem(Napi::Env, Napi::Object exports) {
  // lockFile(descriptor): takes an exclusive lock on an open file without waiting. Returns 0, or the error number:
  // EWOULDBLOCK when another open file holds the lock.
  exportFunction(exports, "lockFile", [](const Napi::CallbackInfo& info) {
    int result = 0;
    do {
      result = flock(info[0].ToNumber().Int32Value(), LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    return Napi::Number::New(info.Env(), result == 0 ? 0 : errno);
  });

  // syncFileSystem(descriptor): waits until the disk has all files of the file system that holds an open file or
  // folder. Returns 0, or the error number.
  exportFunction(exports, "syncFileSystem", [](const Napi::CallbackInfo& info) {
#ifdef __linux__
    int result = syncfs(info[0].ToNumber().Int32Value());
#else
    sync();
    int result = 0;
#endif
    return Napi::Number::New(info.Env(), result == 0 ? 0 : errno);
  });
}

}  // namespace cleanclip
