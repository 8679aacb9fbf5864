// Checks that some operators leave out: without them a wrong argument would crash or hang the process.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <string>
#include <vector>

namespace cleanclip {

// Throws ArgumentError when the operator must not see these arguments, which are in the schema's order.
using Guard = void (*)(const c10::FunctionSchema& schema, const std::vector<c10::IValue>& arguments);

// The guard of an operator's name; nullptr for most.
Guard guardOf(const std::string& name);

}  // namespace cleanclip
