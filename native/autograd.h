// Gradients, grad modes and autocast.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportAutograd(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
