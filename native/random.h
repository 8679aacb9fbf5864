// Seeds and generators. The same seed gives the same numbers as Python's torch.
#pragma once

#include <ATen/core/Generator.h>
#include <napi.h>

namespace cleanclip {

// Whether a value is an external made by createGenerator.
bool isGenerator(napi_env env, napi_value value);

// Returns the generator of such an external; throws ArgumentError for another value.
at::Generator generatorArg(napi_env env, napi_value value);

void exportRandom(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
