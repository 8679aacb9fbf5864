#include "arguments.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>

namespace cleanclip::guards {

const c10::IValue& argument(const Schema& schema, const Stack& stack, const char* name) {
  return stack.at(schema.argumentIndexWithName(name).value());
}

c10::IValue argumentIfAny(const Schema& schema, const Stack& stack, const char* name) {
  const auto index = schema.argumentIndexWithName(name);
  return index ? stack.at(*index) : c10::IValue();
}

at::Tensor readable(const Schema& schema, const Stack& stack, const char* name) {
  const auto given = argumentIfAny(schema, stack, name);
  if (!given.isTensor() || !given.toTensor().defined() || given.toTensor().is_meta()) return {};
  return given.toTensor().detach();
}

bool inside(const at::Tensor& tensor, int64_t least, int64_t most) {
  if (tensor.numel() == 0) return true;
  return tensor.amin().item().toDouble() >= static_cast<double>(least) &&
         tensor.amax().item().toDouble() <= static_cast<double>(most);
}

void refuse(const Schema& schema, const std::string& takes) { throw ArgumentError(schema.name() + " takes " + takes); }

}  // namespace cleanclip::guards
