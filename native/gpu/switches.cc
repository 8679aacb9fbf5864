#include "switches.h"

#include <ATen/Context.h>

#include "exports.h"

namespace cleanclip {

namespace {

// Exports <name>(), which reads the switch, and <name>(boolean), which sets it; both return it.
template <typename Read, typename Write>
void exportSwitch(Napi::Object exports, const char* name, Read read, Write write) {
  exportFunction(exports, name, [name, read, write](const Napi::CallbackInfo& info) {
    if (info.Length() > 0) {
      if (!info[0].IsBoolean()) throw ArgumentError(std::string(name) + " is true or false.");
      write(at::globalContext(), info[0].ToBoolean());
    }
    return Napi::Boolean::New(info.Env(), read(at::globalContext()));
  });
}

}  // namespace

void exportSwitches(Napi::Env, Napi::Object exports) {
  using at::Context;
  // Whether cuDNN measures its algorithms for convolutions and takes the fastest.
  exportSwitch(
      exports, "cudnnBenchmark", [](const Context& c) { return c.benchmarkCuDNN(); },
      [](Context& c, bool on) { c.setBenchmarkCuDNN(on); });
  // Whether float32 convolutions may compute in TF32.
  exportSwitch(
      exports, "cudnnAllowTf32", [](const Context& c) { return c.allowTF32CuDNN(); },
      [](Context& c, bool on) { c.setAllowTF32CuDNN(on); });
  // Whether float32 matrix products may compute in TF32.
  exportSwitch(
      exports, "matmulAllowTf32", [](const Context& c) { return c.allowTF32CuBLAS(); },
      [](Context& c, bool on) { c.setAllowTF32CuBLAS(on); });
}

}  // namespace cleanclip
