// The rows of all ranks in one tensor, with their gradient.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportGather(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
