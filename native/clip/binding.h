// The class ClipModule of the addon: a CLIP in C++ that JavaScript owns.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportClip(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
