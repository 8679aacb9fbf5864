#include "heartbeat_binding.h"

#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "async_work.h"
#include "abort.h"
#include "exports.h"
#include "group.h"
#include "handle.h"
#include "heartbeat.h"
#include "store.h"
#include "deadline.h"

namespace cleanclip {

namespace {

struct HeartbeatHandle {
  static constexpr napi_type_tag tag{0x92d4c6f1b83e5a07, 0x1d7b5e0c9a4f3826};
  static constexpr const char* what = "heartbeat";
  std::shared_ptr<Heartbeat> heartbeat;
};

const std::shared_ptr<Heartbeat>& heartbeatArg(const Napi::Value& value) {
  return handleArg<HeartbeatHandle>(value).heartbeat;
}

// startHeartbeat(store, rank, size, rank 0 hosts the store, silence in ms): a promise of a heartbeat. For a store in a
// file, which each beat would make larger, it is a promise of undefined.
napi_value startHeartbeat(const Napi::CallbackInfo& info) {
  const Heartbeat::Settings settings{
      .rank = info[1].ToNumber(),
      .size = info[2].ToNumber(),
      .firstHosts = info[3].ToBoolean(),
      .silence = millisecondsArg(info[4]),
  };
  const auto& store = storeArg(info[0]);
  return runAsync(info.Env(), withDeadline(store->getTimeout(), [store, settings]() -> MakeResult {
                    if (dynamic_cast<c10d::TCPStore*>(store.get()) == nullptr)
                      return [](Napi::Env env) { return env.Undefined(); };
                    return [heartbeat = Heartbeat::start(store, settings)](Napi::Env env) {
                      return wrapHandle(env, HeartbeatHandle{heartbeat});
                    };
                  }));
}

// guardGroup(heartbeat, group): aborts the group when the heartbeat finds a failure
napi_value guardGroup(const Napi::CallbackInfo& info) {
  heartbeatArg(info[0])->whenFailed([weak = c10::weak_intrusive_ptr<c10d::ProcessGroup>(groupArg(info[1]).group)] {
    if (const auto group = weak.lock()) abortGroup(*group);
  });
  return info.Env().Undefined();
}

// beginOperation(heartbeat, whether it is a collective): a collective's number among this rank's, from 1; else 0
napi_value beginOperation(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(heartbeatArg(info[0])->begin(info[1].ToBoolean())));
}

// endOperation(heartbeat): says that the operation is done
napi_value endOperation(const Napi::CallbackInfo& info) {
  heartbeatArg(info[0])->end();
  return info.Env().Undefined();
}

FailedOperation operationArgs(const Napi::CallbackInfo& info) {
  return {
      .name = info[1].ToString(),
      .number = info[2].ToNumber().Int64Value(),
      .limit = info[3].ToString(),
      .detail = info[4].ToString(),
  };
}

// findCauseSync(heartbeat, operation, its number, the time limit that it exceeded | '', its error): the cause, or ''
// when it is not known; blocks
napi_value findCauseSync(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), heartbeatArg(info[0])->findCause(operationArgs(info)));
}

// findCause(…): a promise of the same
napi_value findCause(const Napi::CallbackInfo& info) {
  return runAsync(info.Env(), [heartbeat = heartbeatArg(info[0]), operation = operationArgs(info)]() -> MakeResult {
    return [cause = heartbeat->findCause(operation)](Napi::Env env) { return Napi::String::New(env, cause); };
  });
}

// announceFailure(heartbeat, cause): tells the other ranks; a promise
napi_value announceFailure(const Napi::CallbackInfo& info) {
  return waitAsync(info.Env(), [heartbeat = heartbeatArg(info[0]), cause = info[1].ToString().Utf8Value()] {
    heartbeat->announceFailure(cause);
  });
}

// stopHeartbeat(heartbeat): leaves without a failure; a promise
napi_value stopHeartbeat(const Napi::CallbackInfo& info) {
  return waitAsync(info.Env(), [heartbeat = heartbeatArg(info[0])] { heartbeat->leave(); });
}

}  // namespace

void exportHeartbeats(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "startHeartbeat", startHeartbeat);
  exportFunction(exports, "guardGroup", guardGroup);
  exportFunction(exports, "beginOperation", beginOperation);
  exportFunction(exports, "endOperation", endOperation);
  exportFunction(exports, "findCause", findCause);
  exportFunction(exports, "findCauseSync", findCauseSync);
  exportFunction(exports, "announceFailure", announceFailure);
  exportFunction(exports, "stopHeartbeat", stopHeartbeat);
}

}  // namespace cleanclip
