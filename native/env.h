// What the addon keeps per JavaScript environment (the main thread and every worker thread has its own).
#pragma once

#include <napi.h>

#include "handle_table.h"

namespace cleanclip {

struct Environment {
  HandleTable tensors;
  Napi::FunctionReference errorClass;    // CleanclipError(message, code)
  Napi::FunctionReference tensorFactory;  // (handle) => Tensor, for results that hold several tensors

  static void create(Napi::Env env) { env.SetInstanceData(new Environment()); }
  static Environment& of(napi_env env) { return *Napi::Env(env).GetInstanceData<Environment>(); }
};

}  // namespace cleanclip
