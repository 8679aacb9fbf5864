#include "binding.h"

#include <c10/util/Logging.h>

#include <cstdlib>

#include "collectives.h"
#include "gather.h"
#include "group.h"
#include "heartbeat_binding.h"
#include "reducer.h"
#include "store.h"

namespace cleanclip {

namespace {

// c10d logs the text of its exceptions once more, with a C++ backtrace. TORCH_CPP_LOG_LEVEL turns this log on again.
void setLogLevel() {
  if (std::getenv("TORCH_CPP_LOG_LEVEL") != nullptr) return c10::initLogging();
  FLAGS_caffe2_log_level = 3;  // fatal
}

}  // namespace

void exportDistributed(Napi::Env env, Napi::Object exports) {
  setLogLevel();
  exportStores(env, exports);
  exportGroups(env, exports);
  exportHeartbeats(env, exports);
  exportCollectives(env, exports);
  exportGather(env, exports);
  exportReducer(env, exports);
}

}  // namespace cleanclip
