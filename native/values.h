// Converts what operators take: JavaScript values -> IValues, by the argument's type in the schema.
#pragma once

#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>
#include <node_api.h>

#include <string>
#include <vector>

namespace cleanclip {

struct Environment;

// The type of a schema argument or of its elements, without its optional and list wrappings.
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

// An argument of a schema, in a form that is fast to use in each call.
struct ArgumentSpec {
  Kind kind = Kind::Unsupported;
  bool list = false;              // a list of `kind`
  bool optional = false;          // null is a value
  bool optionalElements = false;  // a list whose elements may be null
  bool symbolic = false;          // integers are SymInt; values below -2^62 stand for symbols
  bool keywordOnly = false;
  bool hasDefault = false;
  int32_t fixedSize = -1;  // 2 for int[2], where one number may stand for both; else -1
  std::string name;
  c10::IValue defaultValue;

  explicit ArgumentSpec(const c10::Argument& argument);
};

// The type of a JavaScript value, determined once, before overloads are tried.
enum class Given : uint8_t { Null, Tensor, Integer, Number, BigInt, Boolean, String, List, Generator, Other };

struct JsArgument {
  napi_value value = nullptr;
  Given given = Given::Other;
  double number = 0;              // Tensor: its handle; Integer, Number: the value
  std::vector<JsArgument> items;  // List
};

// Determines the type of a value. `tensor` says that numbers in it are tensor handles.
JsArgument inspect(napi_env env, napi_value value, bool tensor, int depth = 0);

// Returns the cost at which a value fits an argument: 0 exactly, more with conversions; -1 when it does not fit.
int fit(const ArgumentSpec& spec, const JsArgument& argument);

// Returns the IValue of a value that fits. Throws ArgumentError for numbers out of range and unknown names.
c10::IValue toIValue(const Environment& environment, const ArgumentSpec& spec, const JsArgument& argument);

// Returns 'Tensor', 'number', 'number[]' and so on, for messages.
std::string describe(const JsArgument& argument);

}  // namespace cleanclip
