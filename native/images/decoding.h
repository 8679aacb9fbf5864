// Decodes image files whose headers JavaScript has read: unpacks their bytes and converts their samples to RGB.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportDecoding(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
