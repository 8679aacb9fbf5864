// c10d: stores, process groups, collectives and the gradient reducer.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportDistributed(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
