#include "threads.h"

#include <ATen/Config.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/cpu/Utils.h>
#include <dlfcn.h>

#include <cmath>

#include "exports.h"

namespace cleanclip {

namespace {

// libtorch brings an OpenMP runtime of its own; its functions are looked up in it rather than linked twice.
void setOpenMpThreads(int count) {
  using Setter = void (*)(int);
  if (auto* set = reinterpret_cast<Setter>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) set(count);
}

int positive(const Napi::CallbackInfo& info) {
  const double count = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
  if (!(count >= 1 && count <= 4096 && count == std::trunc(count))) {
    throw ArgumentError("The number of threads is a whole number from 1 to 4096.");
  }
  return static_cast<int>(count);
}

}  // namespace

void exportThreads(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "setNumThreads", [](const Napi::CallbackInfo& info) {
    at::set_num_threads(positive(info));
    return info.Env().Undefined();
  });
  // For data workers: limits the calling thread alone, after its lazy adoption of the process-wide number.
  exportFunction(exports, "setThreadLocalThreads", [](const Napi::CallbackInfo& info) {
    at::init_num_threads();
    setOpenMpThreads(positive(info));
    return info.Env().Undefined();
  });
  exportFunction(exports, "numThreads",
                 [](const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), at::get_num_threads()); });
  exportFunction(exports, "cpuCapability", [](const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), at::get_cpu_capability());
  });
  // Whether the processor multiplies bfloat16 by instructions of its own, not by widening each number.
  exportFunction(exports, "cpuHasBfloat16", [](const Napi::CallbackInfo& info) {
    const auto capabilities = at::cpu::get_cpu_capabilities();
    const auto has = [&](const char* name) {
      const auto found = capabilities.find(name);
      return found != capabilities.end() && found->second.isBool() && found->second.toBool();
    };
    return Napi::Boolean::New(info.Env(), has("avx512_bf16") || has("amx_bf16"));
  });
}

}  // namespace cleanclip
