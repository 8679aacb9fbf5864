#include "all.h"
#include "arguments.h"

namespace cleanclip::guards {

// For an in-place operator, autograd reads all lists by the length of the first one, before the operator compares them.
void foreachLists(const Schema& schema, const Stack& stack) {
  const auto length = [](const c10::IValue& value) { return value.toListRef().size(); };
  if (stack.empty() || !stack[0].isList()) return;
  for (const auto& argument : stack) {
    if (argument.isList() && length(argument) != length(stack[0])) refuse(schema, "lists of equal lengths.");
  }
  const auto scalars = argumentIfAny(schema, stack, "scalars");
  if (scalars.isTensor() &&
      (scalars.toTensor().dim() != 1 || static_cast<size_t>(scalars.toTensor().size(0)) != length(stack[0]))) {
    refuse(schema, "one scalar for each tensor.");
  }
}

}  // namespace cleanclip::guards
