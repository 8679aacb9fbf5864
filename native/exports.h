// Puts a guarded function on the addon's exports.
#pragma once

#include <napi.h>

#include "errors.h"

namespace cleanclip {

template <typename Body>
void exportFunction(Napi::Object exports, const char* name, Body body) {
  exports.Set(name, Napi::Function::New(
                        exports.Env(),
                        [body](const Napi::CallbackInfo& info) {
                          return Napi::Value(info.Env(),
                                             guarded(info.Env(), [&]() -> napi_value { return body(info); }));
                        },
                        name));
}

}  // namespace cleanclip
