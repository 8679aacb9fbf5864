// Runs work that waits for other processes on a thread of its own. JavaScript gets a promise, and its event loop stays
// free.
#pragma once

#include <napi.h>

#include <functional>

namespace cleanclip {

// Makes a promise's value; runs on the JavaScript thread.
using MakeResult = std::function<napi_value(Napi::Env)>;

// Runs `work` on a fresh thread and returns a promise. The promise gets the value that the returned MakeResult makes,
// or is rejected with the exception that `work` throws. The process stays alive until then. If the environment ends
// first, the result is dropped.
Napi::Value runAsync(Napi::Env env, std::function<MakeResult()> work);

// Does the same for work without a result.
Napi::Value waitAsync(Napi::Env env, std::function<void()> work);

}  // namespace cleanclip
