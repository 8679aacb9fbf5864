// The addon's functions for images between their decoding and the model.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportImages(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
