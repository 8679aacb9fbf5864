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

// A peer, a connection or a time limit that failed between ranks; becomes an error with code ERR_DISTRIBUTED.
struct DistributedError : std::runtime_error {
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

// What is said of an error that says nothing.
inline constexpr auto kUnexplained = "libtorch failed without saying why.";

// What a c10::Error says, in one line without C++ backtrace, source positions and notes to PyTorch's developers.
std::string cleanMessage(std::string message);

// The same of a failed exchange between ranks, without the source position that Gloo puts first and its advice at the
// end:
// "[…/pair.cc:547] Connection closed by peer. This is typically caused by …".
std::string exchangeFailure(const std::string& message);

// Throws what a library below libtorch says, with code ERR_DISTRIBUTED when that is Gloo.
void throwForeignError(napi_env env, const std::exception& error);

// Throws libtorch's complaint, with code ERR_TORCH_OOM when its allocator got no memory.
void throwTorchError(napi_env env, const std::string& message);

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
    napi_throw(env, error.Value());  // fails, and that is well, while a worker is being terminated
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
