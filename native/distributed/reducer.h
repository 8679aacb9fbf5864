// The gradient side of data parallel training: c10d's Reducer, which sums gradients in buckets while backward runs.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportReducer(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
