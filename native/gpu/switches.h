// torch.backends: process-wide settings that trade exactness or start-up for speed. A CPU build has them too, without
// effect.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportSwitches(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
