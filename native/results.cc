#include "results.h"

#include <ATen/core/jit_type.h>
#include <c10/util/irange.h>

#include <cmath>

#include "env.h"
#include "errors.h"
#include "names.h"
#include "tensor.h"
#include "values.h"

namespace cleanclip {

namespace {

constexpr double kMaxSafeInteger = 9007199254740991.0;

napi_value fromInteger(napi_env env, int64_t value) {
  napi_value result = nullptr;
  if (std::fabs(static_cast<double>(value)) <= kMaxSafeInteger) {
    check(napi_create_double(env, static_cast<double>(value), &result));
  } else {
    check(napi_create_bigint_int64(env, value, &result));
  }
  return result;
}

napi_value fromDouble(napi_env env, double value) {
  napi_value result = nullptr;
  check(napi_create_double(env, value, &result));
  return result;
}

napi_value fromBoolean(napi_env env, bool value) {
  napi_value result = nullptr;
  check(napi_get_boolean(env, value, &result));
  return result;
}

napi_value fromText(napi_env env, const std::string& value) { return Napi::String::New(env, value); }

}  // namespace

napi_value fromIValue(napi_env env, const c10::IValue& value, const c10::TypePtr& realType) {
  napi_value result = nullptr;
  if (value.isNone()) {
    check(napi_get_null(env, &result));
  } else if (value.isTensor()) {
    const at::Tensor& tensor = value.toTensor();
    if (!tensor.defined()) {
      check(napi_get_null(env, &result));
      return result;
    }
    result = Environment::of(env).tensorFactory.Call({Napi::Value(env, wrapTensor(env, tensor))});
  } else if (value.isInt()) {
    switch (kindOf(*realType)) {
      case Kind::ScalarType: return fromText(env, dtypeName(static_cast<at::ScalarType>(value.toInt())));
      case Kind::Layout: return fromText(env, layoutName(value.toInt()));
      case Kind::MemoryFormat: return fromText(env, memoryFormatName(value.toInt()));
      default: return fromInteger(env, value.toInt());
    }
  } else if (value.isDouble()) {
    return fromDouble(env, value.toDouble());
  } else if (value.isBool()) {
    return fromBoolean(env, value.toBool());
  } else if (value.isSymInt()) {
    return fromInteger(env, value.toSymInt().guard_int(__FILE__, __LINE__));
  } else if (value.isComplexDouble()) {
    const auto number = value.toComplexDouble();
    auto object = Napi::Object::New(env);
    object.Set("re", number.real());
    object.Set("im", number.imag());
    return object;
  } else if (value.isString()) {
    return fromText(env, value.toStringRef());
  } else if (value.isDevice()) {
    return fromText(env, value.toDevice().str());
  } else if (value.isList() || value.isTuple()) {
    const bool tuple = value.isTuple();
    const auto elements = tuple ? value.toTupleRef().elements().vec() : value.toListRef().vec();
    const auto types = realType->containedTypes();
    check(napi_create_array_with_length(env, elements.size(), &result));
    for (const auto i : c10::irange(elements.size())) {
      const auto& type = types.empty() ? realType : tuple && i < types.size() ? types[i] : types[0];
      check(napi_set_element(env, result, i, fromIValue(env, elements[i], type)));
    }
  } else {
    throw ArgumentError("The operator returned a " + value.tagKind() + ", which has no JavaScript form.");
  }
  return result;
}

}  // namespace cleanclip
