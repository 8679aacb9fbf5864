// Converts what operators return: IValues -> JavaScript values.
#pragma once

#include <ATen/core/ivalue.h>
#include <node_api.h>

namespace cleanclip {

// Returns a result as a JavaScript value. A tensor becomes a Tensor object through the environment's factory. Undefined
// tensors and None become null. An integer beyond 2^53 - 1 becomes a bigint, and a dtype its name.
napi_value fromIValue(napi_env env, const c10::IValue& value, const c10::TypePtr& realType);

}  // namespace cleanclip
