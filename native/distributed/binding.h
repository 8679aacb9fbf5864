// c10d: stores, process groups and collectives.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportDistributed(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
