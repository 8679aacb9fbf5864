#include "async_work.h"

#include <memory>
#include <mutex>
#include <thread>

#include "errors.h"
#include "failure.h"

namespace cleanclip {

namespace {

// The way back to JavaScript. The environment closes it when it ends: the thread-safe function no longer exists then,
// even if a thread still holds it.
struct Return {
  std::mutex mutex;
  bool closed = false;
  napi_threadsafe_function function = nullptr;
};

// A cleanup hook of the environment. It runs before that of the thread-safe function, which was made earlier.
void close(void* data) {
  const std::unique_ptr<std::shared_ptr<Return>> way(static_cast<std::shared_ptr<Return>*>(data));
  const std::lock_guard lock((*way)->mutex);
  (*way)->closed = true;
}

struct Outcome {
  napi_deferred deferred;
  void* hook;  // what `close` takes
  MakeResult result;
  std::exception_ptr failure;
};

// Runs on the JavaScript thread. `env` is null when the environment is ending.
void settle(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Outcome> outcome(static_cast<Outcome*>(data));
  if (env == nullptr) return;
  {
    const std::unique_ptr<std::shared_ptr<Return>> way(static_cast<std::shared_ptr<Return>*>(outcome->hook));
    const std::lock_guard lock((*way)->mutex);  // until then the thread may still have to release the function
    napi_remove_env_cleanup_hook(env, close, outcome->hook);
  }
  const Napi::HandleScope scope(env);
  const napi_value value = guarded(env, [&] {
    if (outcome->failure) rethrowAsDistributed(outcome->failure);
    return outcome->result(env);
  });
  if (Napi::Env(env).IsExceptionPending()) {
    napi_reject_deferred(env, outcome->deferred, Napi::Env(env).GetAndClearPendingException().Value());
  } else {
    napi_resolve_deferred(env, outcome->deferred, value);
  }
}

}  // namespace

Napi::Value runAsync(Napi::Env env, std::function<MakeResult()> work) {
  napi_value promise = nullptr;
  auto outcome = std::make_unique<Outcome>();
  check(napi_create_promise(env, &outcome->deferred, &promise));
  const auto way = std::make_shared<Return>();
  const auto name = Napi::String::New(env, "cleanclip.distributed");
  check(napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, settle,
                                        &way->function));
  outcome->hook = new std::shared_ptr<Return>(way);
  check(napi_add_env_cleanup_hook(env, close, outcome->hook));
  std::thread([way, outcome = std::move(outcome), work = std::move(work)]() mutable {
    try {
      outcome->result = work();
    } catch (...) {
      outcome->failure = std::current_exception();
    }
    work = nullptr;
    const std::lock_guard lock(way->mutex);
    if (way->closed || napi_call_threadsafe_function(way->function, outcome.get(), napi_tsfn_nonblocking) != napi_ok)
      return;
    static_cast<void>(outcome.release());
    napi_release_threadsafe_function(way->function, napi_tsfn_release);
  }).detach();
  return Napi::Value(env, promise);
}

Napi::Value waitAsync(Napi::Env env, std::function<void()> work) {
  return runAsync(env, [work = std::move(work)]() -> MakeResult {
    work();
    return [](Napi::Env env) { return env.Undefined(); };
  });
}

}  // namespace cleanclip
