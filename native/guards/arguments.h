// The guards share these functions. They find arguments by name, and read the values of a tensor only if it has any (a
// meta tensor has none).
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "../errors.h"

namespace cleanclip::guards {

using Stack = std::vector<c10::IValue>;
using Schema = c10::FunctionSchema;

// Returns the argument of that name; throws when this overload has none.
const c10::IValue& argument(const Schema& schema, const Stack& stack, const char* name);

// Returns the argument of that name, or None when this overload has none.
c10::IValue argumentIfAny(const Schema& schema, const Stack& stack, const char* name);

// Returns the tensor of that name, or an undefined one when it is not given or its values cannot be read.
at::Tensor readable(const Schema& schema, const Stack& stack, const char* name);

// Whether every element lies in [least, most]; NaN does not.
bool inside(const at::Tensor& tensor, int64_t least, int64_t most);

// Throws ArgumentError: "aten::name takes …".
[[noreturn]] void refuse(const Schema& schema, const std::string& takes);

}  // namespace cleanclip::guards
