// Tidy scopes, release of handles, and what memory() reports.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportScope(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
