// AutoAugment's operations as one function on the addon.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportAugment(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
