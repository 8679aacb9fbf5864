// Runs work on bytes of JavaScript: at once, or on a thread of Node's pool, where it does not block the event loop.
#pragma once

#include <napi.h>

#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include "errors.h"

namespace cleanclip {

// Runs `work` on a thread of the pool, then `finish` with its result on JavaScript's thread. The promise resolves to
// the value of `finish`. `bytes` stay alive until then.
template <typename Result>
class AsyncWork : public Napi::AsyncWorker {
 public:
  using Work = std::function<Result()>;
  using Finish = std::function<napi_value(Napi::Env, Result&)>;

  static napi_value start(const Napi::Object& bytes, Work work, Finish finish) {
    auto* started = new AsyncWork(bytes, std::move(work), std::move(finish));
    const auto promise = started->deferred.Promise();
    started->Queue();
    return promise;
  }

 protected:
  void Execute() override {
    try {
      result = work();
    } catch (...) {
      failure = std::current_exception();
    }
  }

  void OnOK() override {
    const auto env = Env();
    napi_value value = guarded(env, [&]() -> napi_value {
      if (failure) std::rethrow_exception(failure);
      return finish(env, result);
    });
    if (value != nullptr) {
      deferred.Resolve(value);
      return;
    }
    napi_value error = nullptr;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) deferred.Reject(error);
  }

 private:
  AsyncWork(const Napi::Object& bytes, Work work, Finish finish)
      : Napi::AsyncWorker(bytes.Env()),
        kept(Napi::Persistent(bytes)),
        deferred(Napi::Promise::Deferred::New(bytes.Env())),
        work(std::move(work)),
        finish(std::move(finish)) {}

  Napi::ObjectReference kept;
  Napi::Promise::Deferred deferred;
  Work work;
  Finish finish;
  Result result{};
  std::exception_ptr failure;
};

// With `async`, does the same. Otherwise works at once and returns the value of `finish` without a promise.
template <typename Result>
napi_value syncOrAsync(bool async, const Napi::Object& bytes, typename AsyncWork<Result>::Work work,
                       typename AsyncWork<Result>::Finish finish) {
  if (async) return AsyncWork<Result>::start(bytes, std::move(work), std::move(finish));
  auto result = work();
  return finish(bytes.Env(), result);
}

}  // namespace cleanclip
