// Writes tensors into files.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportTensorFile(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
