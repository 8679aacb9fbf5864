// Tidy scopes, the release of handles, and memory().
#pragma once

#include <napi.h>

namespace cleanclip {

void exportScope(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
