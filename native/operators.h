// Every operator of the dispatcher, by a numeric id for all overloads of a name.
#pragma once

#include <napi.h>

namespace cleanclip {

void exportOperators(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
