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

// libtorch brings its own OpenMP runtime. The function is looked up in it, because linking would load a second one.
void setOpenMpThreads(int count) {
  using Setter = void (*)(int);
  if (auto* set = reinterpret_cast<Setter>(dlsym(RTLD_DEFAULT, "omp_set_num_threads"))) set(count);
}

int positive(const Napi::CallbackInfo& info) {
  const double count = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
  if (!(count >= 1 && count <= 4096 && count == std::trunc(count))) {
    throw ArgumentError("The number of threads is an integer from 1 to 4096.");
  }
  return static_cast<int>(count);
}

}  // namespace

void exportThreads(Napi::Env, Napi::Object exports) {
  // setNumThreads(count): the threads of one operator, in the whole process
  exportFunction(exports, "setNumThreads", [](const Napi::CallbackInfo& info) {
    at::set_num_threads(positive(info));
    return info.Env().Undefined();
  });
  // setThreadLocalThreads(count): the same for the calling thread alone; for data workers. The first line makes the
  // thread take the number of the process now; otherwise it would do so later and undo this call.
  exportFunction(exports, "setThreadLocalThreads", [](const Napi::CallbackInfo& info) {
    at::init_num_threads();
    setOpenMpThreads(positive(info));
    return info.Env().Undefined();
  });
  // numThreads(): the threads of one operator
  exportFunction(exports, "numThreads",
                 [](const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), at::get_num_threads()); });
  // cpuCapability(): the instructions that libtorch's kernels use, such as 'AVX2'
  exportFunction(exports, "cpuCapability", [](const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), at::get_cpu_capability());
  });
  // cpuHasBfloat16(): whether the processor has instructions that multiply bfloat16; else each number is widened first
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
