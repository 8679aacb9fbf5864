// Tensors between JavaScript and C++: handles, properties, typed arrays in and out.
#pragma once

#include <ATen/core/Tensor.h>
#include <napi.h>

#include <string>
#include <vector>

#include "env.h"
#include "errors.h"
#include "names.h"

namespace cleanclip {

// The tensor that a handle names; throws ArgumentError.
inline const at::Tensor& tensorArg(napi_env env, napi_value value) {
  double handle;
  if (napi_get_value_double(env, value, &handle) != napi_ok) throw ArgumentError("A tensor was expected here.");
  return Environment::of(env).tensors.get(static_cast<Handle>(handle));
}

// A list of tensors from a JavaScript array of handles.
std::vector<at::Tensor> tensorListArg(napi_env env, napi_value value);

// A new handle, as a JavaScript number, for a tensor; null for an undefined tensor.
napi_value wrapTensor(napi_env env, at::Tensor tensor);

void exportTensor(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
