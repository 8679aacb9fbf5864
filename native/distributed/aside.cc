#include "aside.h"

#include <dlfcn.h>

#include <memory>
#include <thread>

#include "errors.h"
#include "failure.h"

namespace cleanclip {

namespace {

struct Outcome {
  napi_deferred deferred;
  MakeResult result;
  std::exception_ptr failure;
};

// Node unloads an addon with the last worker thread that uses it; a thread still waiting would run on unmapped code.
void stayLoaded() {
  static const bool done = [] {
    Dl_info self;
    return dladdr(reinterpret_cast<void*>(&stayLoaded), &self) != 0 && dlopen(self.dli_fname, RTLD_NOW | RTLD_NODELETE) != nullptr;
  }();
  static_cast<void>(done);
}

// Called on the JavaScript thread; without an environment when that is ending.
void settle(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Outcome> outcome(static_cast<Outcome*>(data));
  if (env == nullptr) return;
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

Napi::Value runAside(Napi::Env env, std::function<MakeResult()> work) {
  stayLoaded();
  napi_value promise = nullptr;
  auto outcome = std::make_unique<Outcome>();
  check(napi_create_promise(env, &outcome->deferred, &promise));
  napi_threadsafe_function settled = nullptr;
  const auto name = Napi::String::New(env, "cleanclip.distributed");
  check(napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, settle, &settled));
  std::thread([settled, outcome = std::move(outcome), work = std::move(work)]() mutable {
    try {
      outcome->result = work();
    } catch (...) {
      outcome->failure = std::current_exception();
    }
    work = nullptr;
    if (napi_call_threadsafe_function(settled, outcome.get(), napi_tsfn_blocking) != napi_ok) return;
    static_cast<void>(outcome.release());
    napi_release_threadsafe_function(settled, napi_tsfn_release);
  }).detach();
  return Napi::Value(env, promise);
}

Napi::Value waitAside(Napi::Env env, std::function<void()> work) {
  return runAside(env, [work = std::move(work)]() -> MakeResult {
    work();
    return [](Napi::Env env) { return env.Undefined(); };
  });
}

}  // namespace cleanclip
