// Decoding of image files whose headers JavaScript has read: unpacks their bytes and makes RGB of their samples.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportDecoding(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
