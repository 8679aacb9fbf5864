#include "operators.h"

#include <ATen/EmptyTensor.h>
#include <c10/util/ScopeExit.h>
#include <c10/util/SmallVector.h>
#include <c10/util/irange.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <array>

#include "exports.h"
#include "layouts.h"
#include "packet.h"
#include "results.h"
#include "tensor.h"
#include "values.h"

namespace cleanclip {

namespace {

using Arguments = c10::SmallVector<JsArgument, 8>;
using Names = std::vector<std::string>;

// For each argument of the schema, the index of the call's argument that it takes, or -1 for its default.
using Binding = std::array<int8_t, kMaxArguments>;

// Matches positional and then keyword arguments with an overload. Returns the sum of the costs of `fit`, or -1 when
// they do not fit.
int bind(const Overload& overload, const Arguments& given, const Names& names, Binding& binding) {
  const auto& specs = overload.arguments;
  const size_t positional = given.size() - names.size();
  if (given.size() > specs.size()) return -1;
  std::fill_n(binding.begin(), specs.size(), -1);
  int cost = 0;
  for (const auto i : c10::irange(positional)) {
    if (specs[i].keywordOnly) return -1;
    const int one = fit(specs[i], given[i]);
    if (one < 0) return -1;
    cost += one;
    binding[i] = static_cast<int8_t>(i);
  }
  for (const auto k : c10::irange(names.size())) {
    size_t i = 0;
    while (i < specs.size() && specs[i].name != names[k]) i++;
    if (i == specs.size() || binding[i] >= 0) return -1;
    const int one = fit(specs[i], given[positional + k]);
    if (one < 0) return -1;
    cost += one;
    binding[i] = static_cast<int8_t>(positional + k);
  }
  for (const auto i : c10::irange(specs.size())) {
    if (binding[i] < 0 && !specs[i].hasDefault) return -1;
  }
  return cost;
}

std::string complaint(const Packet& packet, const Arguments& given, const Names& names) {
  std::ostringstream text;
  text << packet.name << " does not take (";
  const size_t positional = given.size() - names.size();
  for (const auto i : c10::irange(given.size())) {
    if (i > 0) text << ", ";
    if (i >= positional) text << names[i - positional] << ": ";
    text << describe(given[i]);
  }
  text << "); it takes ";
  for (const auto i : c10::irange(packet.overloads.size())) {
    if (i > 0) text << " or ";
    text << packet.overloads[i].op.schema();
  }
  text << ".";
  return text.str();
}

const Overload& choose(const Packet& packet, const Arguments& given, const Names& names, Binding& best) {
  if (!packet.refusal.empty()) throw ArgumentError(packet.name + " is refused: " + packet.refusal + ".");
  const Overload* chosen = nullptr;
  int least = -1;
  Binding binding;
  for (const auto& overload : packet.overloads) {
    const int cost = bind(overload, given, names, binding);
    if (cost < 0 || (chosen != nullptr && cost >= least)) continue;
    chosen = &overload;
    least = cost;
    best = binding;
    if (cost == 0) break;
  }
  if (chosen == nullptr) throw ArgumentError(complaint(packet, given, names));
  return *chosen;
}

napi_value number(napi_env env, double value) {
  napi_value result = nullptr;
  check(napi_create_double(env, value, &result));
  return result;
}

// Returns one tensor as its handle, and an argument that was changed in place as -1 - its position. Anything else comes
// in an array of one element.
napi_value result(Environment& environment, const Overload& overload, const Binding& binding) {
  const napi_env env = environment.env;
  auto& stack = environment.stack;
  if (overload.selfReturn >= 0 && binding[overload.selfReturn] >= 0) {
    return number(env, -1.0 - binding[overload.selfReturn]);
  }
  if (stack.size() == 1 && stack[0].isTensor() && stack[0].toTensor().defined()) {
    return number(env, static_cast<double>(environment.tensors.add(std::move(stack[0]).toTensor())));
  }
  napi_value boxed = nullptr;
  check(napi_create_array_with_length(env, 1, &boxed));
  napi_value content = nullptr;
  if (stack.empty()) {
    check(napi_get_undefined(env, &content));
  } else if (stack.size() == 1) {
    content = fromIValue(env, stack[0], overload.returnTypes[0]);
  } else {
    check(napi_create_array_with_length(env, stack.size(), &content));
    for (const auto i : c10::irange(stack.size())) {
      check(napi_set_element(env, content, i, fromIValue(env, stack[i], overload.returnTypes[i])));
    }
  }
  check(napi_set_element(env, boxed, 0, content));
  return boxed;
}

// A call from JavaScript: (id, tensorMask, ...). Bit i of the mask says that argument i is a tensor or holds tensors.
struct Call {
  c10::SmallVector<napi_value, 10> values;
  Environment* environment = nullptr;
  int32_t id = 0;
  double tensors = 0;

  Call(napi_env env, napi_callback_info info) : values(10) {
    size_t count = values.size();
    void* data = nullptr;
    check(napi_get_cb_info(env, info, &count, values.data(), nullptr, &data));
    const bool all = count <= values.size();
    values.resize(count);
    if (!all) check(napi_get_cb_info(env, info, &count, values.data(), nullptr, nullptr));
    environment = static_cast<Environment*>(data);
    check(napi_get_value_int32(env, values[0], &id));
    check(napi_get_value_double(env, values[1], &tensors));
  }
};

// When memory runs out after a tensor got its new sizes, its storage is too small for them. Such a tensor becomes
// empty.
void emptyUnbacked(const Environment& environment, c10::ArrayRef<JsArgument> given) {
  for (const auto& argument : given) {
    emptyUnbacked(environment, argument.items);
    if (argument.given != Given::Tensor) continue;
    const auto& tensor = environment.tensors.get(static_cast<Handle>(argument.number));
    if (!tensor.defined() || tensor.layout() != at::kStrided || !tensor.has_storage() || tensor.is_meta() ||
        tensor._is_zerotensor() || tensor.numel() == 0) {
      continue;
    }
    const auto needed =
        at::detail::computeStorageNbytes(tensor.sizes(), tensor.strides(), tensor.itemsize(), tensor.storage_offset());
    if (needed > tensor.storage().nbytes()) tensor.unsafeGetTensorImpl()->set_sizes_contiguous({0});
  }
}

napi_value invoke(const Call& call, size_t first, const Names& names) {
  Environment& environment = *call.environment;
  const size_t count = call.values.size() - first;
  if (count > kMaxArguments) throw ArgumentError("An operator call has more than 48 arguments.");
  Arguments given;
  for (const auto i : c10::irange(count)) {
    const bool tensor = (static_cast<uint64_t>(call.tensors) >> i) & 1;
    given.push_back(inspect(environment.env, call.values[first + i], tensor));
  }
  Binding binding;
  const Packet& packet = packetAt(call.id);
  const Overload& overload = choose(packet, given, names, binding);
  auto& stack = environment.stack;
  stack.clear();
  for (const auto i : c10::irange(overload.arguments.size())) {
    const auto& spec = overload.arguments[i];
    stack.push_back(binding[i] < 0 ? spec.defaultValue : toIValue(environment, spec, given[binding[i]]));
  }
  checkLayouts(overload.op, stack);
  if (packet.guard != nullptr) packet.guard(overload.op.schema(), stack);
  try {
    overload.op.callBoxed(&stack);
  } catch (...) {
    emptyUnbacked(environment, given);
    throw;
  }
  return result(environment, overload, binding);
}

// Runs an operator call, and clears the stack afterwards so that it keeps no tensor alive.
template <typename Body>
napi_value guardedCall(napi_env env, napi_callback_info info, Body&& body) {
  return guarded(env, [&] {
    const Call call(env, info);
    const auto emptied = c10::make_scope_exit([&] { call.environment->stack.clear(); });
    return body(call);
  });
}

// call(id, tensorMask, ...arguments): runs the overload of an operator that fits the arguments best. The operator sets
// shapes and dtypes; `result` above says what comes back.
napi_value call(napi_env env, napi_callback_info info) {
  static const Names none;
  return guardedCall(env, info, [](const Call& call) { return invoke(call, 2, none); });
}

// callWithKeywords(id, tensorMask, names, ...arguments): does the same; the last names.length arguments are keyword
// arguments
napi_value callWithKeywords(napi_env env, napi_callback_info info) {
  return guardedCall(env, info, [env](const Call& call) {
    Names names;
    const auto array = Napi::Array(env, call.values[2]);
    for (const auto i : c10::irange(array.Length())) names.push_back(array.Get(i).ToString().Utf8Value());
    return invoke(call, 3, names);
  });
}

Napi::Value texts(Napi::Env env, const std::vector<std::string>& strings) {
  auto array = Napi::Array::New(env, strings.size());
  for (const auto i : c10::irange(strings.size())) array.Set(static_cast<uint32_t>(i), strings[i]);
  return array;
}

void addRaw(Napi::Env env, Napi::Object exports, const char* name, napi_callback callback) {
  napi_value function = nullptr;
  check(napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, &Environment::of(env), &function));
  exports.Set(name, Napi::Value(env, function));
}

}  // namespace

void exportOperators(Napi::Env env, Napi::Object exports) {
  addRaw(env, exports, "call", call);
  addRaw(env, exports, "callWithKeywords", callWithKeywords);
  // findOperator(name): the id of an operator ('aten::add'), or -1
  exportFunction(exports, "findOperator", [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), findPacket(info[0].ToString().Utf8Value()));
  });
  // operatorNames(): the names of all operators, sorted
  exportFunction(exports, "operatorNames",
                 [](const Napi::CallbackInfo& info) { return texts(info.Env(), packetNames()); });
  // libtorchVersion(): the version that the addon was compiled against
  exportFunction(exports, "libtorchVersion",
                 [](const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), TORCH_VERSION); });
  // operatorSchemas(): the schemas of all overloads that may be called, sorted
  exportFunction(exports, "operatorSchemas",
                 [](const Napi::CallbackInfo& info) { return texts(info.Env(), schemas()); });
}

}  // namespace cleanclip
