// C++ objects that JavaScript holds as tagged externals.
#pragma once

#include <napi.h>

#include <string>
#include <utility>

#include "errors.h"

namespace cleanclip {

// `T` names its tag and what it is: `static constexpr napi_type_tag tag` and `static constexpr const char* what`.
template <typename T>
napi_value wrapHandle(Napi::Env env, T object) {
  const auto external =
      Napi::External<T>::New(env, new T(std::move(object)), [](Napi::Env, T* owned) { delete owned; });
  check(napi_type_tag_object(env, external, &T::tag));
  return external;
}

// The object behind an external made by wrapHandle; throws ArgumentError.
template <typename T>
T& handleArg(const Napi::Value& value) {
  bool tagged = false;
  if (napi_check_object_type_tag(value.Env(), value, &T::tag, &tagged) != napi_ok || !tagged) {
    throw ArgumentError(std::string("A ") + T::what + " was expected here.");
  }
  void* data = nullptr;
  check(napi_get_value_external(value.Env(), value, &data));
  return *static_cast<T*>(data);
}

}  // namespace cleanclip
