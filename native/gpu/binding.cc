#include "binding.h"

#include "devices.h"
#include "memory.h"
#include "streams.h"
#include "switches.h"

namespace cleanclip {

void exportGpu(Napi::Env env, Napi::Object exports) {
  exportDevices(env, exports);
  exportGpuMemory(env, exports);
  exportStreams(env, exports);
  exportSwitches(env, exports);
}

}  // namespace cleanclip
