#include "group.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include "async_work.h"
#include "exports.h"
#include "gloo_device.h"
#include "handle.h"
#include "nccl.h"
#include "store.h"
#include "deadline.h"

namespace cleanclip {

namespace {

using c10d::PrefixStore;
using c10d::ProcessGroup;
using c10d::ProcessGroupGloo;

struct GroupOptions {
  std::string backend;
  int rank;
  int size;
  std::chrono::milliseconds timeout;
  std::string interfaces;
  std::string peer;
};

// Blocks until every rank is there. The prefixes are those of torch.distributed's default group, so that ranks may run
// Python.
c10::intrusive_ptr<ProcessGroup> makeGroup(const c10::intrusive_ptr<c10d::Store>& base, const GroupOptions& options) {
  const auto& [backend, rank, size, timeout, interfaces, peer] = options;
  const auto store = c10::make_intrusive<PrefixStore>("0/", c10::make_intrusive<PrefixStore>("default_pg", base));
  auto group = c10::make_intrusive<ProcessGroup>(store, rank, size);

  auto glooOptions = ProcessGroupGloo::Options::create(timeout);
  glooOptions->devices = glooDevices(interfaces, peer);
  const auto gloo =
      c10::make_intrusive<ProcessGroupGloo>(c10::make_intrusive<PrefixStore>("cpu/", store), rank, size, glooOptions);
  group->setBackend(c10::DeviceType::CPU, ProcessGroup::BackendType::GLOO, gloo);
  group->setDefaultBackend(ProcessGroup::BackendType::GLOO);
  if (backend == "nccl") {
    const auto nccl = makeNccl(c10::make_intrusive<PrefixStore>("cuda/", store), rank, size, timeout);
    group->setBackend(c10::DeviceType::CUDA, ProcessGroup::BackendType::NCCL, nccl);
    group->setDefaultBackend(ProcessGroup::BackendType::NCCL);
  } else {
    group->setBackend(c10::DeviceType::CUDA, ProcessGroup::BackendType::GLOO, gloo);  // by way of the CPU's memory
  }
  group->setGroupName("0");
  return group;
}

// createGroup(store, backend, rank, size, timeout, interfaces, peer): a promise; see glooDevices for the last two
napi_value createGroup(const Napi::CallbackInfo& info) {
  const GroupOptions options{
      .backend = info[1].ToString(),
      .rank = info[2].ToNumber(),
      .size = info[3].ToNumber(),
      .timeout = millisecondsArg(info[4]),
      .interfaces = info[5].ToString(),
      .peer = info[6].ToString(),
  };
  return runAsync(info.Env(), withDeadline(options.timeout, [store = storeArg(info[0]), options]() -> MakeResult {
                    auto group = makeGroup(store, options);
                    return [group = std::move(group), timeout = options.timeout](Napi::Env env) {
                      return wrapHandle(env, GroupHandle{group, timeout});
                    };
                  }));
}

// destroyGroup(group): a promise; nothing of the group may be pending
napi_value destroyGroup(const Napi::CallbackInfo& info) {
  auto group = std::move(groupArg(info[0]).group);
  return waitAsync(info.Env(), [group = std::move(group)]() mutable { group.reset(); });
}

}  // namespace

GroupHandle& groupArg(const Napi::Value& value) {
  auto& handle = handleArg<GroupHandle>(value);
  if (!handle.group) throw ArgumentError("This process group was destroyed; make another one with initProcessGroup.");
  return handle;
}

void exportGroups(Napi::Env, Napi::Object exports) {
  // hasNccl(): whether the addon was compiled with NCCL
  exportFunction(exports, "hasNccl",
                 [](const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), hasNccl()); });
  exportFunction(exports, "createGroup", createGroup);
  exportFunction(exports, "destroyGroup", destroyGroup);
}

}  // namespace cleanclip
