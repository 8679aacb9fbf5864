// C++ exceptions to JavaScript errors: every entry point of the addon runs inside `guarded`.
#pragma once

#include <c10/util/Exception.h>
#include <napi.h>

#include <string>
#include <utility>

namespace cleanclip {

// An argument that JavaScript passed wrongly; becomes an error with code ERR_TORCH.
struct ArgumentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A JavaScript exception that is already pending in the environment.
struct PendingException {};

// Throws PendingException when a Node-API call failed.
inline void check(napi_status status) {
  if (status != napi_ok) throw PendingException{};
}

// Throws a CleanclipError (or a plain Error before the class is known) with this message and code.
void throwError(napi_env env, const std::string& message, const char* code);

// The sentence that a c10::Error carries, without its C++ backtrace and source positions.
std::string cleanMessage(const c10::Error& error);

// Runs `body`, turning any C++ exception into a pending JavaScript one. Returns nullptr then.
template <typename Body>
napi_value guarded(napi_env env, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const PendingException&) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) throwError(env, "An argument has the wrong type.", "ERR_TORCH");
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (const c10::OutOfMemoryError& error) {
    throwError(env, cleanMessage(error), "ERR_TORCH_OOM");
  } catch (const c10::Error& error) {
    const std::string message = cleanMessage(error);
    const bool memory = message.find("not enough memory") != std::string::npos ||
                        message.find("can't allocate memory") != std::string::npos;
    throwError(env, message, memory ? "ERR_TORCH_OOM" : "ERR_TORCH");
  } catch (const std::bad_alloc&) {
    throwError(env, "There is not enough memory for this operation.", "ERR_TORCH_OOM");
  } catch (const std::exception& error) {
    throwError(env, error.what(), "ERR_TORCH");
  }
  return nullptr;
}

}  // namespace cleanclip
