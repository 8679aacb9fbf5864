// Writes tensors into files, and reads them.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportTensorFile(Napi::Env env, Napi::Object exports);
void exportTensorReading(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
