#include "errors.h"

#include <gloo/common/error.h>

#include <algorithm>
#include <cctype>

#include "env.h"

namespace cleanclip {

namespace {

void cutFrom(std::string& text, const char* start) { text.resize(std::min(text.size(), text.find(start))); }

// Takes out everything from `start` to the end of `end`; false when they are not there.
bool takeOut(std::string& text, const char* start, const std::string& end) {
  const auto first = text.find(start);
  if (first == std::string::npos) return false;
  const auto last = text.find(end, first);
  if (last == std::string::npos) return false;
  text.erase(first, last + end.size() - first);
  return true;
}

// One line with single spaces and a full stop.
std::string sentence(const std::string& text) {
  std::string result;
  for (const char sign : text) {
    if (!std::isspace(static_cast<unsigned char>(sign))) {
      result += sign;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  while (!result.empty() && result.back() == ' ') result.pop_back();
  if (!result.empty() && std::string(".!?").find(result.back()) == std::string::npos) result += '.';
  return result;
}

}  // namespace

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

std::string cleanMessage(std::string message) {
  cutFrom(message, "\nException raised from");
  cutFrom(message, " This could be because the operator doesn't exist for this backend");
  takeOut(message, "[enforce fail at ", ". ");
  takeOut(message, "(Could this error message be improved?", ")");
  takeOut(message, "If you believe this is a bug", ".");
  const auto condition = message.find(" INTERNAL ASSERT FAILED at ");
  if (condition != std::string::npos && takeOut(message, " INTERNAL ASSERT FAILED at ", "report a bug to PyTorch.")) {
    message = "A check inside libtorch failed (" + message.substr(0, condition) + "):" + message.substr(condition);
  }
  return sentence(message);
}

std::string exchangeFailure(const std::string& message) {
  const auto end = message.find("] ");
  const auto start = message.rfind('[', 0) == 0 && end != std::string::npos ? end + 2 : 0;
  return cleanMessage(message.substr(start, message.find(" This is typically caused by", start) - start));
}

void throwForeignError(napi_env env, const std::exception& error) {
  if (dynamic_cast<const gloo::Exception*>(&error) != nullptr) {
    return throwError(env, exchangeFailure(error.what()), "ERR_DISTRIBUTED");
  }
  throwTorchError(env, cleanMessage(std::string("libtorch failed: ") + error.what()));
}

void throwTorchError(napi_env env, const std::string& message) {
  static const std::string asked = "you tried to allocate ";
  const auto amount = message.find(asked);
  if (amount == std::string::npos) return throwError(env, message, "ERR_TORCH");
  const auto bytes = std::stoull(message.substr(amount + asked.size()));
  throwError(env, "There is not enough memory: the operation asked for " + std::to_string(bytes) + " bytes.",
             "ERR_TORCH_OOM");
}

}  // namespace cleanclip
