// torch.cuda of the addon. What needs no CUDA headers goes through the interfaces of c10, so that it is compiled in CPU
// builds too.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportGpu(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
