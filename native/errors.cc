#include "errors.h"

#include "env.h"

namespace cleanclip {

void throwError(napi_env env, const std::string& message, const char* code) {
  const auto& constructor = Environment::of(env).errorClass;
  napi_value text = Napi::String::New(env, message);
  napi_value codeText = Napi::String::New(env, code);
  napi_value error = nullptr;
  if (!constructor.IsEmpty()) {
    napi_value arguments[] = {text, codeText};
    if (napi_new_instance(env, constructor.Value(), 2, arguments, &error) != napi_ok) return;
  } else {
    napi_create_error(env, codeText, text, &error);
  }
  napi_throw(env, error);
}

std::string cleanMessage(const c10::Error& error) {
  std::string message = error.what_without_backtrace();
  const auto trace = message.find("\nException raised from");
  if (trace != std::string::npos) message.resize(trace);
  return message;
}

}  // namespace cleanclip
