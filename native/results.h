// IValues -> JavaScript values: what operators return.
#pragma once

#include <ATen/core/ivalue.h>
#include <node_api.h>

namespace cleanclip {

// A result as a JavaScript value; tensors become Tensor objects through the environment's factory.
napi_value fromIValue(napi_env env, const c10::IValue& value, const c10::TypePtr& realType);

}  // namespace cleanclip
