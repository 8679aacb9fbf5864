// Passes tensors between JavaScript and C++: handles, properties, and the bytes of typed arrays.
#pragma once

#include <ATen/core/Tensor.h>
#include <napi.h>

#include <string>
#include <vector>

#include "env.h"
#include "errors.h"
#include "names.h"

namespace cleanclip {

// Returns the tensor of a handle; throws ArgumentError for another value.
inline const at::Tensor& tensorArg(napi_env env, napi_value value) {
  double handle;
  if (napi_get_value_double(env, value, &handle) != napi_ok) throw ArgumentError("A tensor was expected here.");
  return Environment::of(env).tensors.get(static_cast<Handle>(handle));
}

// Returns the tensors of a JavaScript array of handles; throws ArgumentError as tensorArg does.
std::vector<at::Tensor> tensorListArg(napi_env env, napi_value value);

// Returns a new handle for a tensor, as a JavaScript number; null for an undefined tensor.
napi_value wrapTensor(napi_env env, at::Tensor tensor);

void exportTensor(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
