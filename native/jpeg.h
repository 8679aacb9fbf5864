// Decodes ordinary JPEG files by libjpeg-turbo, if there was one to compile against.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportJpeg(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
