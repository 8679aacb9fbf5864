// Decodes grey, colour and CMYK JPEG files by libjpeg-turbo, if the addon was compiled with it.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportJpeg(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
