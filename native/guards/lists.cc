#include "all.h"
#include "arguments.h"

namespace cleanclip::guards {

// Autograd walks the lists of an in-place operator by the first one, before the operator compares their lengths.
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
