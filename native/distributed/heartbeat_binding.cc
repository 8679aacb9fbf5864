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

struct HeartHandle {
  static constexpr napi_type_tag tag{0x92d4c6f1b83e5a07, 0x1d7b5e0c9a4f3826};
  static constexpr const char* what = "heartbeat";
  std::shared_ptr<Heartbeat> heart;
};

const std::shared_ptr<Heartbeat>& heartArg(const Napi::Value& value) { return handleArg<HeartHandle>(value).heart; }

// startHeart(store, rank, size, rank 0 hosts the store, silence): a promise; undefined for a store in a file, which
// would grow by each beat
napi_value startHeart(const Napi::CallbackInfo& info) {
  const Heartbeat::Settings settings{
      .rank = info[1].ToNumber(),
      .size = info[2].ToNumber(),
      .firstHosts = info[3].ToBoolean(),
      .silence = millisecondsArg(info[4]),
  };
  const auto& store = storeArg(info[0]);
  return runAside(info.Env(), within(store->getTimeout(), [store, settings]() -> MakeResult {
                    if (dynamic_cast<c10d::TCPStore*>(store.get()) == nullptr)
                      return [](Napi::Env env) { return env.Undefined(); };
                    return [heart = Heartbeat::start(store, settings)](Napi::Env env) {
                      return wrapHandle(env, HeartHandle{heart});
                    };
                  }));
}

// heartGuards(heart, group): breaks the group off when it has failed
napi_value heartGuards(const Napi::CallbackInfo& info) {
  heartArg(info[0])->whenFailed([weak = c10::weak_intrusive_ptr<c10d::ProcessGroup>(groupArg(info[1]).group)] {
    if (const auto group = weak.lock()) breakOff(*group);
  });
  return info.Env().Undefined();
}

napi_value heartBegins(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(heartArg(info[0])->begin(info[1].ToBoolean())));
}

napi_value heartEnds(const Napi::CallbackInfo& info) {
  heartArg(info[0])->end();
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

// inquireNow(heart, operation, its number, time limit that it kept not to | '', what it failed with): blocks; the
// verdict | ''
napi_value inquireNow(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), heartArg(info[0])->inquire(operationArgs(info)));
}

// inquire(…): the same in a promise
napi_value inquire(const Napi::CallbackInfo& info) {
  return runAside(info.Env(), [heart = heartArg(info[0]), operation = operationArgs(info)]() -> MakeResult {
    return [verdict = heart->inquire(operation)](Napi::Env env) { return Napi::String::New(env, verdict); };
  });
}

// announce(heart, verdict): a promise
napi_value announce(const Napi::CallbackInfo& info) {
  return waitAside(info.Env(),
                   [heart = heartArg(info[0]), verdict = info[1].ToString().Utf8Value()] { heart->announce(verdict); });
}

// stopHeart(heart): a promise
napi_value stopHeart(const Napi::CallbackInfo& info) {
  return waitAside(info.Env(), [heart = heartArg(info[0])] { heart->leave(); });
}

}  // namespace

void exportHearts(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "startHeart", startHeart);
  exportFunction(exports, "heartGuards", heartGuards);
  exportFunction(exports, "heartBegins", heartBegins);
  exportFunction(exports, "heartEnds", heartEnds);
  exportFunction(exports, "inquire", inquire);
  exportFunction(exports, "inquireNow", inquireNow);
  exportFunction(exports, "announce", announce);
  exportFunction(exports, "stopHeart", stopHeart);
}

}  // namespace cleanclip
