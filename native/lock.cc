#include "lock.h"

#include <sys/file.h>

#include <cerrno>

#include "exports.h"

namespace cleanclip {

void exportLock(Napi::Env, Napi::Object exports) {
  // lockFile(descriptor): takes an exclusive lock on an open file without waiting. Returns 0, or the error number:
  // EWOULDBLOCK when another open file holds the lock.
  exportFunction(exports, "lockFile", [](const Napi::CallbackInfo& info) {
    int result = 0;
    do {
      result = flock(info[0].ToNumber().Int32Value(), LOCK_EX | LOCK_NB);
    } while (result != 0 && errno == EINTR);
    return Napi::Number::New(info.Env(), result == 0 ? 0 : errno);
  });
}

}  // namespace cleanclip
