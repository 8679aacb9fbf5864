// Seeds and generators: the same numbers as Python's torch for the same seed.
#pragma once

#include <ATen/core/Generator.h>
#include <napi.h>

namespace cleanclip {

// Whether a value is an external made by createGenerator.
bool isGenerator(napi_env env, napi_value value);

// The generator behind an external; throws ArgumentError.
at::Generator generatorArg(napi_env env, napi_value value);

void exportRandom(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
