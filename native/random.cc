#include "random.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>

#include <cmath>
#include <mutex>

#include "exports.h"
#include "tensor.h"

namespace cleanclip {

namespace {

constexpr napi_type_tag kGeneratorTag{0x2d3c1f0f6f8e4b21, 0x9a5e57c0f2f14c77};

// Reads a seed. As in Python, a negative seed stands for the unsigned one with the same bits.
uint64_t seedArg(const Napi::Value& value) {
  bool lossless = false;
  if (value.IsBigInt()) {
    const auto seed = value.As<Napi::BigInt>().Uint64Value(&lossless);
    if (lossless) return seed;
    const auto negative = value.As<Napi::BigInt>().Int64Value(&lossless);
    if (lossless) return static_cast<uint64_t>(negative);
  } else if (value.IsNumber()) {
    const double seed = value.As<Napi::Number>();
    if (std::trunc(seed) == seed && std::fabs(seed) <= 9007199254740991.0) {
      return static_cast<uint64_t>(static_cast<int64_t>(seed));
    }
  }
  throw ArgumentError(
      "A seed is an integer from -9223372036854775808 to 18446744073709551615; beyond 2^53 it is a bigint.");
}

// Returns a generator that JavaScript made, or else the default one of the process.
at::Generator generatorOrDefault(const Napi::CallbackInfo& info) {
  return info[0].IsExternal() ? generatorArg(info.Env(), info[0])
                              : at::globalContext().defaultGenerator(c10::Device(at::kCPU));
}

}  // namespace

bool isGenerator(napi_env env, napi_value value) {
  bool tagged = false;
  return napi_check_object_type_tag(env, value, &kGeneratorTag, &tagged) == napi_ok && tagged;
}

at::Generator generatorArg(napi_env env, napi_value value) {
  if (!isGenerator(env, value)) throw ArgumentError("A torch.Generator was expected here.");
  void* data = nullptr;
  check(napi_get_value_external(env, value, &data));
  return *static_cast<at::Generator*>(data);
}

void exportRandom(Napi::Env, Napi::Object exports) {
  // manualSeed(seed): seeds the default generators of the CPU and of all GPUs, as torch.manual_seed does
  exportFunction(exports, "manualSeed", [](const Napi::CallbackInfo& info) {
    at::manual_seed(seedArg(info[0]));
    return info.Env().Undefined();
  });
  // createGenerator(seed): a CPU generator
  exportFunction(exports, "createGenerator", [](const Napi::CallbackInfo& info) {
    auto external = Napi::External<at::Generator>::New(
        info.Env(), new at::Generator(at::detail::createCPUGenerator(seedArg(info[0]))),
        [](Napi::Env, at::Generator* generator) { delete generator; });
    check(napi_type_tag_object(info.Env(), external, &kGeneratorTag));
    return external;
  });
  // generatorState(generator | null): the state of a generator, or of the default one: uint8 [5056] on the CPU
  exportFunction(exports, "generatorState", [](const Napi::CallbackInfo& info) {
    auto generator = generatorOrDefault(info);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    return Napi::Value(info.Env(), wrapTensor(info.Env(), generator.get_state()));
  });
  // setGeneratorState(generator | null, state): sets what generatorState returned
  exportFunction(exports, "setGeneratorState", [](const Napi::CallbackInfo& info) {
    auto generator = generatorOrDefault(info);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(tensorArg(info.Env(), info[1]));
    return info.Env().Undefined();
  });
}

}  // namespace cleanclip
