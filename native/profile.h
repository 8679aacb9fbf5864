// Counts and times operators.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportProfile(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
