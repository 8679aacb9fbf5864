// Guards make the checks that some operators leave out: without them a wrong argument would crash or hang the process.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <string>
#include <vector>

namespace cleanclip {

// Throws ArgumentError when the operator must not get these arguments, which are in the schema's order.
using Guard = void (*)(const c10::FunctionSchema& schema, const std::vector<c10::IValue>& arguments);

// Returns the guard of an operator ('aten::linear'), or nullptr for an operator that needs none.
Guard guardOf(const std::string& name);

}  // namespace cleanclip
