// JavaScript values -> IValues, directed by the argument's schema type.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <node_api.h>

#include <string>
#include <vector>

namespace cleanclip {

struct Environment;

// What a schema argument takes, after its optional and alias wrappings are taken off.
enum class Kind : uint8_t {
  Tensor,
  Int,
  Float,
  Bool,
  Scalar,
  String,
  ScalarType,
  Layout,
  MemoryFormat,
  Device,
  Generator,
  Unsupported
};

Kind kindOf(const c10::Type& type);

// A schema argument, read once.
struct ArgumentSpec {
  Kind kind = Kind::Unsupported;
  bool list = false;              // a list of `kind`
  bool optional = false;          // null is a value
  bool optionalElements = false;  // a list whose elements may be null
  bool symbolic = false;          // integers are SymInt, whose values below -2^62 stand for symbols
  bool keywordOnly = false;
  bool hasDefault = false;
  int32_t fixedSize = -1;  // int[2]: one number stands for both
  std::string name;
  c10::IValue defaultValue;

  explicit ArgumentSpec(const c10::Argument& argument);
};

// What JavaScript passed, looked at once, before overloads are tried.
enum class Given : uint8_t { Null, Tensor, Integer, Number, BigInt, Boolean, String, List, Generator, Other };

struct JsArgument {
  napi_value value = nullptr;
  Given given = Given::Other;
  double number = 0;              // Tensor: its handle; Integer, Number: the value
  std::vector<JsArgument> items;  // List
};

// Looks at a value. `tensor` says that numbers in it are tensor handles.
JsArgument inspect(napi_env env, napi_value value, bool tensor, int depth = 0);

// How well a value fits an argument: 0 exactly, more with conversions, -1 not at all.
int fit(const ArgumentSpec& spec, const JsArgument& argument);

// The IValue of a value that fits. Throws ArgumentError for numbers out of range and unknown names.
c10::IValue toIValue(const Environment& environment, const ArgumentSpec& spec, const JsArgument& argument);

// 'Tensor', 'number', 'number[]' … for messages.
std::string describe(const JsArgument& argument);

}  // namespace cleanclip
