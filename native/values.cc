#include "values.h"

#include <ATen/core/Generator.h>
#include <ATen/core/List.h>
#include <ATen/core/jit_type.h>
#include <c10/core/Device.h>
#include <c10/util/irange.h>

#include <cmath>

#include "env.h"
#include "errors.h"
#include "names.h"
#include "random.h"

namespace cleanclip {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;
constexpr int kMaxDepth = 8;
constexpr uint32_t kMaxLength = 1 << 20;

std::string text(napi_env env, napi_value value) { return Napi::String(env, value).Utf8Value(); }

const at::Tensor& tensorOf(const Environment& environment, const JsArgument& argument) {
  return environment.tensors.get(static_cast<Handle>(argument.number));
}

int64_t integer(napi_env env, const JsArgument& argument) {
  if (argument.given == Given::BigInt) {
    int64_t result = 0;
    bool lossless = false;
    check(napi_get_value_bigint_int64(env, argument.value, &result, &lossless));
    if (!lossless) throw ArgumentError("A bigint argument is outside the range of a 64-bit integer.");
    return result;
  }
  if (std::fabs(argument.number) > kMaxSafeInteger) {
    throw ArgumentError("The number " + std::to_string(argument.number) +
                        " is too large to be an exact integer; pass a bigint.");
  }
  return static_cast<int64_t>(argument.number);
}

int64_t integer(napi_env env, const ArgumentSpec& spec, const JsArgument& argument) {
  const auto value = integer(env, argument);
  if (spec.symbolic && !c10::SymInt::check_range(value)) {
    throw ArgumentError("The argument '" + spec.name + "' holds " + std::to_string(value) +
                        ", but a size is at least -2^62.");
  }
  return value;
}

double floating(napi_env env, const JsArgument& argument) {
  return argument.given == Given::BigInt ? static_cast<double>(integer(env, argument)) : argument.number;
}

bool boolean(napi_env env, const JsArgument& argument) {
  bool result = false;
  check(napi_get_value_bool(env, argument.value, &result));
  return result;
}

c10::Scalar scalar(napi_env env, const JsArgument& argument) {
  switch (argument.given) {
    case Given::Boolean: return c10::Scalar(boolean(env, argument));
    case Given::Number: return c10::Scalar(argument.number);
    // An integral double beyond 2^53, such as 1e300, is meant as a float.
    case Given::Integer:
      if (std::fabs(argument.number) > kMaxSafeInteger) return c10::Scalar(argument.number);
      [[fallthrough]];
    default: return c10::Scalar(integer(env, argument));
  }
}

int fitOne(const ArgumentSpec& spec, const JsArgument& argument) {
  const Given given = argument.given;
  const bool whole = given == Given::Integer || given == Given::BigInt;
  switch (spec.kind) {
    case Kind::Tensor: return given == Given::Tensor ? 0 : -1;
    case Kind::Int: return whole ? 0 : -1;
    case Kind::Float: return given == Given::Number ? 0 : whole ? 1 : -1;
    case Kind::Bool: return given == Given::Boolean ? 0 : -1;
    case Kind::Scalar: return given == Given::Number || whole ? 0 : given == Given::Boolean ? 1 : -1;
    case Kind::Generator: return given == Given::Generator ? 0 : -1;
    case Kind::Unsupported: return -1;
    default: return given == Given::String ? 0 : -1;
  }
}

c10::IValue convertOne(const Environment& environment, const ArgumentSpec& spec, const JsArgument& argument) {
  const napi_env env = environment.env;
  switch (spec.kind) {
    case Kind::Tensor: return tensorOf(environment, argument);
    case Kind::Int: return integer(env, spec, argument);
    case Kind::Float: return floating(env, argument);
    case Kind::Bool: return boolean(env, argument);
    case Kind::Scalar: return scalar(env, argument);
    case Kind::String: return text(env, argument.value);
    case Kind::ScalarType: return static_cast<int64_t>(dtypeFromName(text(env, argument.value)));
    case Kind::Layout: return layoutFromName(text(env, argument.value));
    case Kind::MemoryFormat: return memoryFormatFromName(text(env, argument.value));
    case Kind::Device: return deviceFromName(text(env, argument.value));
    case Kind::Generator: return generatorArg(env, argument.value);
    default: throw ArgumentError("The argument '" + spec.name + "' cannot be passed from JavaScript.");
  }
}

template <typename T, typename Convert>
c10::IValue toList(const JsArgument& argument, int32_t fixedSize, Convert&& convert) {
  c10::List<T> list;
  if (argument.given != Given::List) {
    const T value = convert(argument);
    for ([[maybe_unused]] const auto i : c10::irange(std::max(fixedSize, 1))) list.push_back(value);
    return list;
  }
  list.reserve(argument.items.size());
  for (const auto& item : argument.items) list.push_back(convert(item));
  return list;
}

}  // namespace

Kind kindOf(const c10::Type& type) {
  switch (type.kind()) {
    case c10::TypeKind::TensorType: return Kind::Tensor;
    case c10::TypeKind::IntType:
    case c10::TypeKind::SymIntType: return Kind::Int;
    case c10::TypeKind::FloatType:
    case c10::TypeKind::SymFloatType: return Kind::Float;
    case c10::TypeKind::BoolType:
    case c10::TypeKind::SymBoolType: return Kind::Bool;
    case c10::TypeKind::NumberType: return Kind::Scalar;
    case c10::TypeKind::StringType: return Kind::String;
    case c10::TypeKind::ScalarTypeType: return Kind::ScalarType;
    case c10::TypeKind::LayoutType: return Kind::Layout;
    case c10::TypeKind::MemoryFormatType: return Kind::MemoryFormat;
    case c10::TypeKind::DeviceObjType: return Kind::Device;
    case c10::TypeKind::GeneratorType: return Kind::Generator;
    default: return Kind::Unsupported;
  }
}

ArgumentSpec::ArgumentSpec(const c10::Argument& argument)
    : keywordOnly(argument.kwarg_only()),
      hasDefault(argument.default_value().has_value()),
      fixedSize(argument.N() ? *argument.N() : -1),
      name(argument.name()) {
  if (hasDefault) defaultValue = *argument.default_value();
  c10::TypePtr type = argument.real_type();
  if (const auto inner = type->cast<c10::OptionalType>()) {
    optional = true;
    type = inner->getElementType();
  }
  if (const auto elements = type->cast<c10::ListType>()) {
    list = true;
    type = elements->getElementType();
    if (const auto inner = type->cast<c10::OptionalType>()) {
      optionalElements = true;
      type = inner->getElementType();
    }
  }
  kind = kindOf(*type);
  symbolic = type->kind() == c10::TypeKind::SymIntType;
}

JsArgument inspect(napi_env env, napi_value value, bool tensor, int depth) {
  JsArgument result;
  result.value = value;
  if (tensor && napi_get_value_double(env, value, &result.number) == napi_ok) {
    result.given = Given::Tensor;
    return result;
  }
  napi_valuetype type;
  check(napi_typeof(env, value, &type));
  switch (type) {
    case napi_undefined:
    case napi_null: result.given = Given::Null; break;
    case napi_boolean: result.given = Given::Boolean; break;
    case napi_string: result.given = Given::String; break;
    case napi_bigint: result.given = Given::BigInt; break;
    case napi_number:
      check(napi_get_value_double(env, value, &result.number));
      result.given =
          result.number == std::trunc(result.number) && std::isfinite(result.number) ? Given::Integer : Given::Number;
      break;
    case napi_external: result.given = isGenerator(env, value) ? Given::Generator : Given::Other; break;
    case napi_object: {
      bool array = false;
      check(napi_is_array(env, value, &array));
      if (!array) break;
      if (depth >= kMaxDepth) throw ArgumentError("An array argument is nested too deeply.");
      result.given = Given::List;
      uint32_t length = 0;
      check(napi_get_array_length(env, value, &length));
      if (length > kMaxLength)
        throw ArgumentError("An array argument has more than 1,048,576 elements; pass a tensor.");
      result.items.reserve(length);
      for (const auto i : c10::irange(length)) {
        napi_value item = nullptr;
        check(napi_get_element(env, value, i, &item));
        result.items.push_back(inspect(env, item, tensor, depth + 1));
      }
      break;
    }
    default: break;
  }
  return result;
}

int fit(const ArgumentSpec& spec, const JsArgument& argument) {
  if (argument.given == Given::Null)
    return spec.optional && spec.kind != Kind::Unsupported ? 0 : spec.optional ? 1 : -1;
  if (!spec.list) return fitOne(spec, argument);
  if (argument.given != Given::List) {
    const bool repeated = spec.fixedSize > 0 && spec.kind != Kind::Tensor;
    const int cost = repeated ? fitOne(spec, argument) : -1;
    return cost < 0 ? -1 : cost + 1;
  }
  // Kernels read an int[2] without a check of its length. Only where [] is the default may it be passed; it then means
  // "the same as another argument".
  const bool byDefault = argument.items.empty() && spec.hasDefault;
  if (spec.fixedSize > 1 && argument.items.size() != static_cast<size_t>(spec.fixedSize) && !byDefault) return -1;
  int worst = 0;
  for (const auto& item : argument.items) {
    const int cost = item.given == Given::Null && spec.optionalElements ? 0 : fitOne(spec, item);
    if (cost < 0) return -1;
    worst = std::max(worst, cost);
  }
  return worst;
}

c10::IValue toIValue(const Environment& environment, const ArgumentSpec& spec, const JsArgument& argument) {
  if (argument.given == Given::Null) return {};
  if (!spec.list) return convertOne(environment, spec, argument);
  const napi_env env = environment.env;
  const auto tensor = [&](const JsArgument& item) { return tensorOf(environment, item); };
  switch (spec.kind) {
    case Kind::Tensor:
      if (spec.optionalElements) {
        return toList<std::optional<at::Tensor>>(argument, -1, [&](const JsArgument& item) {
          return item.given == Given::Null ? std::optional<at::Tensor>() : std::optional<at::Tensor>(tensor(item));
        });
      }
      return toList<at::Tensor>(argument, -1, tensor);
    case Kind::Int:
      return toList<int64_t>(argument, spec.fixedSize,
                             [&](const JsArgument& item) { return integer(env, spec, item); });
    case Kind::Float:
      return toList<double>(argument, spec.fixedSize, [&](const JsArgument& item) { return floating(env, item); });
    case Kind::Bool:
      return toList<bool>(argument, spec.fixedSize, [&](const JsArgument& item) { return boolean(env, item); });
    case Kind::Scalar:
      return toList<at::Scalar>(argument, spec.fixedSize, [&](const JsArgument& item) { return scalar(env, item); });
    case Kind::String:
      return toList<std::string>(argument, -1, [&](const JsArgument& item) { return text(env, item.value); });
    default: throw ArgumentError("The argument '" + spec.name + "' cannot be passed from JavaScript.");
  }
}

std::string describe(const JsArgument& argument) {
  switch (argument.given) {
    case Given::Null: return "null";
    case Given::Tensor: return "Tensor";
    case Given::Integer:
    case Given::Number: return "number";
    case Given::BigInt: return "bigint";
    case Given::Boolean: return "boolean";
    case Given::String: return "string";
    case Given::Generator: return "Generator";
    case Given::List: return argument.items.empty() ? "[]" : describe(argument.items[0]) + "[]";
    default: return "object";
  }
}

}  // namespace cleanclip
