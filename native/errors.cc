#include "errors.h"

#include <gloo/common/error.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <optional>
#include <regex>

#include "env.h"

namespace cleanclip {

namespace {

void cutFrom(std::string& text, const char* start) { text.resize(std::min(text.size(), text.find(start))); }

// Removes everything from `start` to the end of `end`; returns false when the text does not have both.
bool takeOut(std::string& text, const char* start, const std::string& end) {
  const auto first = text.find(start);
  if (first == std::string::npos) return false;
  const auto last = text.find(end, first);
  if (last == std::string::npos) return false;
  text.erase(first, last + end.size() - first);
  return true;
}

// Returns a sentence about a failed allocation, or nothing when the message is about something else. CUDA's allocator
// rounds to two digits: "Tried to allocate 2.50 GiB. GPU 0 has a total capacity of 23.65 GiB of which 1.12 GiB is
// free."
std::optional<std::string> memoryShortage(const std::string& message) {
  static const std::regex onCpu("you tried to allocate (\\d+) bytes");
  static const std::regex onGpu(
      "CUDA out of memory\\. Tried to allocate ([\\d.]+) (bytes|KiB|MiB|GiB)\\. "
      "GPU (\\d+) has a total capacity of ([\\d.]+ \\w+) of which ([\\d.]+ \\w+) is free");
  static const std::regex elsewhere(
      "CUDA out of memory|CUDA error: out of memory|CU(BLAS|DNN|SOLVER|SPARSE)_STATUS_ALLOC_FAILED");
  const std::string start = "There is not enough memory";
  std::smatch found;
  if (std::regex_search(message, found, onCpu)) return start + ": the operation asked for " + found.str(1) + " bytes.";
  if (std::regex_search(message, found, onGpu)) {
    static const std::map<std::string, double> units{{"bytes", 1}, {"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}};
    const auto bytes = std::llround(std::stod(found.str(1)) * units.at(found.str(2)));
    return start + " on GPU " + found.str(3) + ": the operation asked for " + std::to_string(bytes) + " bytes, and " +
           found.str(5) + " of " + found.str(4) + " are free.";
  }
  if (std::regex_search(message, elsewhere)) return start + " on the GPU for this operation.";
  return {};
}

// Puts a text on one line, with single spaces and a full stop.
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

// Cuts a message that repeats a long argument.
std::string cut(const std::string& message) {
  constexpr size_t kLongest = 1500;
  if (message.size() <= kLongest) return message;
  size_t end = kLongest;
  while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0) == 0x80)
    end--;  // a cut inside a UTF-8 character would break it
  return message.substr(0, end) + "…";
}

}  // namespace

void throwError(napi_env env, const std::string& message, const char* code) {
  const auto& constructor = Environment::of(env).errorClass;
  napi_value text = Napi::String::New(env, cut(message));
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
  const auto text = sentence(message);
  return text.empty() ? kUnexplained : text;  // the caller's own message may be empty
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
  const auto shortage = memoryShortage(message);
  throwError(env, shortage.value_or(message), shortage ? "ERR_TORCH_OOM" : "ERR_TORCH");
}

}  // namespace cleanclip
