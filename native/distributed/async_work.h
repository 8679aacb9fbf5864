// Work that waits for other processes, on a thread of its own: JavaScript gets a promise and its event loop stays free.
#pragma once

#include <napi.h>

#include <functional>

namespace cleanclip {

// Makes a promise's value; runs on the JavaScript thread.
using MakeResult = std::function<napi_value(Napi::Env)>;

// Runs `work` on a fresh thread and returns a promise of what the MakeResult that it returns makes, or of the exception
// that it throws as an error. The process stays alive until then. When the environment ends first, the result is
// dropped.
Napi::Value runAsync(Napi::Env env, std::function<MakeResult()> work);

// The same for work without a result.
Napi::Value waitAsync(Napi::Env env, std::function<void()> work);

}  // namespace cleanclip
