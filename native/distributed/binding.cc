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

// What c10d logs of a failure, with a C++ backtrace, is what its exception says; TORCH_CPP_LOG_LEVEL still turns the
// log on.
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
