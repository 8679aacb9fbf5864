// Turns C++ exceptions into JavaScript errors: every entry point of the addon runs inside `guarded`.
#pragma once

#include <c10/util/Exception.h>
#include <napi.h>

#include <string>
#include <utility>

namespace cleanclip {

// JavaScript passed a wrong argument. It becomes an error with code ERR_TORCH.
struct ArgumentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A rank or a connection failed, or a time limit passed. It becomes an error with code ERR_DISTRIBUTED.
struct DistributedError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A JavaScript exception is already pending in the environment.
struct PendingException {};

// Throws PendingException when a Node-API call failed.
inline void check(napi_status status) {
  if (status != napi_ok) throw PendingException{};
}

// Throws a CleanclipError (or a plain Error before the class is known) with this message and code.
void throwError(napi_env env, const std::string& message, const char* code);

// The message for an error that has none.
inline constexpr auto kUnexplained = "libtorch failed without saying why.";

// Returns the message of a c10::Error on one line, without backtrace, source positions and notes to PyTorch's
// developers.
std::string cleanMessage(std::string message);

// Does the same for a failed exchange between ranks. Leaves out Gloo's source position at the start, and its advice at
// the end: "[…/pair.cc:547] Connection closed by peer. This is typically caused by …".
std::string exchangeFailure(const std::string& message);

// Throws the error of a library below libtorch, with code ERR_DISTRIBUTED for Gloo and otherwise as throwTorchError.
void throwForeignError(napi_env env, const std::exception& error);

// Throws an error of libtorch, with code ERR_TORCH_OOM when its allocator got no memory, else ERR_TORCH.
void throwTorchError(napi_env env, const std::string& message);

// Runs `body`. Turns any C++ exception into a pending JavaScript one, and returns nullptr then.
template <typename Body>
napi_value guarded(napi_env env, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const PendingException&) {
    bool pending = false;
    napi_is_exception_pending(env, &pending);
    if (!pending) throwError(env, "An argument has the wrong type.", "ERR_TORCH");
  } catch (const Napi::Error& error) {
    napi_throw(env, error.Value());  // it fails while a worker is being terminated, and may do so
  } catch (const ArgumentError& error) {
    throwError(env, error.what(), "ERR_TORCH");
  } catch (const DistributedError& error) {
    throwError(env, error.what(), "ERR_DISTRIBUTED");
  } catch (const c10::DistError& error) {
    throwError(env, exchangeFailure(error.what_without_backtrace()), "ERR_DISTRIBUTED");
  } catch (const c10::Error& error) {
    throwTorchError(env, cleanMessage(error.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    throwError(env, "There is not enough memory for this operation.", "ERR_TORCH_OOM");
  } catch (const std::length_error&) {
    throwError(env, "The operation asks for a longer list than memory can hold.", "ERR_TORCH_OOM");
  } catch (const std::exception& error) {
    throwForeignError(env, error);
  } catch (...) {
    throwError(env, kUnexplained, "ERR_TORCH");
  }
  return nullptr;
}

}  // namespace cleanclip
