// The functions behind torch.cuda. Most go through the interfaces of c10, which need no CUDA headers, so that CPU
// builds compile them too.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportGpu(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
