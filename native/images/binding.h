// What happens to images between their decoding and the model, as functions on the addon.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportImages(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
