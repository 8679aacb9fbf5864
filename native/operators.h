// Calls every operator of the dispatcher. All overloads of a name share one numeric id.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportOperators(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
