// The addon keeps one Environment per JavaScript environment; the main thread and every worker thread have their own.
#pragma once

#include <ATen/core/ivalue.h>
#include <napi.h>

#include <vector>

#include "handle_table.h"

namespace cleanclip {

struct Environment {
  const napi_env env;
  HandleTable tensors;
  std::vector<c10::IValue> stack;         // arguments, then results, of the operator call in progress
  Napi::FunctionReference errorClass;     // CleanclipError(message, code)
  Napi::FunctionReference tensorFactory;  // (handle) => Tensor, for results that hold several tensors

  explicit Environment(napi_env env) : env(env) {}

  static void create(Napi::Env env) { env.SetInstanceData(new Environment(env)); }
  static Environment& of(napi_env env) { return *Napi::Env(env).GetInstanceData<Environment>(); }
};

}  // namespace cleanclip
