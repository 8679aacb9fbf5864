// What the guards share: they find their arguments by name, and look at values only where there are any.
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

const c10::IValue& argument(const Schema& schema, const Stack& stack, const char* name);

// The argument, or none when this overload has no such one.
c10::IValue argumentIfAny(const Schema& schema, const Stack& stack, const char* name);

// The tensor of that name when it is given and its values can be read, else an undefined one.
at::Tensor readable(const Schema& schema, const Stack& stack, const char* name);

// Whether every element lies in [least, most]; NaN does not.
bool inside(const at::Tensor& tensor, int64_t least, int64_t most);

// Throws ArgumentError: "aten::name takes …".
[[noreturn]] void refuse(const Schema& schema, const std::string& takes);

}  // namespace cleanclip::guards
