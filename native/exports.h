// Puts a guarded function on the addon's exports. The comment of each such function begins with its call from
// JavaScript. A tensor there is a handle (a number); a shape or dtype that a comment leaves open may be any.
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
