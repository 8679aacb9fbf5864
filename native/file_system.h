// What Node's fs lacks: locks on files, which the system frees when the process ends, and the sync of a file system.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportFileSystem(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
