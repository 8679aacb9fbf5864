#include "reducer.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <torch/csrc/distributed/c10d/comm.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include "async_work.h"
#include "exports.h"
#include "group.h"
#include "handle.h"
#include "tensor.h"

namespace cleanclip {

namespace {

constexpr size_t kBroadcastBytes = 250 << 20;  // in one piece, as torch

struct ReducerHandle {
  static constexpr napi_type_tag tag{0x3e5d9b70a1f24c86, 0xc47e10b86d2f9a35};
  static constexpr const char* what = "reducer";
  std::shared_ptr<c10d::Reducer> reducer;  // null once disposed
};

c10d::Reducer& reducerArg(const Napi::Value& value) {
  const auto& reducer = handleArg<ReducerHandle>(value).reducer;
  if (!reducer) throw ArgumentError("This DistributedDataParallel was disposed; create another one.");
  return *reducer;
}

std::vector<at::Tensor> detached(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  for (const auto& tensor : tensors) result.push_back(tensor.detach());
  return result;
}

void broadcastFromFirst(const c10::intrusive_ptr<c10d::ProcessGroup>& group, const std::vector<at::Tensor>& tensors) {
  const at::NoGradGuard guard;
  c10d::broadcast_coalesced(group, detached(tensors), kBroadcastBytes, 0);
}

// verifyAndBroadcast(group, parameters, buffers): copies the tensors of rank 0 to all ranks; a promise. All ranks must
// have parameters of the same shapes and strides.
napi_value verifyAndBroadcast(const Napi::CallbackInfo& info) {
  const auto parameters = tensorListArg(info.Env(), info[1]);
  auto all = tensorListArg(info.Env(), info[2]);
  all.insert(all.begin(), parameters.begin(), parameters.end());
  return waitAsync(info.Env(), [group = groupArg(info[0]).group, parameters, all] {
    c10d::verify_params_across_processes(group, parameters, std::nullopt);
    broadcastFromFirst(group, all);
  });
}

// broadcastCoalesced(group, tensors): copies the tensors of rank 0 to all ranks; blocks
napi_value broadcastCoalesced(const Napi::CallbackInfo& info) {
  broadcastFromFirst(groupArg(info[0]).group, tensorListArg(info.Env(), info[1]));
  return info.Env().Undefined();
}

// createReducer(group, parameters, names, bytes of the first bucket, of the others, static graph): a c10d::Reducer,
// which averages the parameters' gradients over ranks during backward
napi_value createReducer(const Napi::CallbackInfo& info) {
  const auto parameters = tensorListArg(info.Env(), info[1]);
  const auto nameList = info[2].As<Napi::Array>();
  std::unordered_map<size_t, std::string> names;
  for (uint32_t i = 0; i < nameList.Length(); i++) names[i] = nameList.Get(i).ToString().Utf8Value();
  const int64_t firstBytes = info[3].ToNumber().Int64Value();
  const int64_t bytes = info[4].ToNumber().Int64Value();
  const std::vector<bool> sparse(parameters.size(), false);

  const std::vector<size_t> limits{static_cast<size_t>(firstBytes), static_cast<size_t>(bytes)};
  auto [buckets, bucketLimits] = c10d::compute_bucket_assignment_by_size(parameters, limits, sparse);
  // Gradients become ready from the last parameter to the first.
  std::reverse(buckets.begin(), buckets.end());
  std::reverse(bucketLimits.begin(), bucketLimits.end());
  auto reducer = std::make_shared<c10d::Reducer>(
      parameters, buckets, groupArg(info[0]).group, sparse, bytes,
      /*find_unused_parameters=*/false, /*gradient_as_bucket_view=*/true, names, firstBytes,
      /*skip_all_reduce_unused_params=*/false, /*use_python_reducer=*/false, std::vector<int64_t>{});
  if (info[5].ToBoolean()) reducer->set_static_graph();
  return wrapHandle(info.Env(), ReducerHandle{std::move(reducer)});
}

// beforeForward(reducer): blocks once, before the second step, to agree on the buckets in the order in which gradients
// became ready
napi_value beforeForward(const Napi::CallbackInfo& info) {
  auto& reducer = reducerArg(info[0]);
  reducer.prepare_for_forward();
  reducer.rebuild_buckets();
  return info.Env().Undefined();
}

// beforeBackward(reducer): the next backward exchanges gradients
napi_value beforeBackward(const Napi::CallbackInfo& info) {
  reducerArg(info[0]).prepare_for_backward({});
  return info.Env().Undefined();
}

// afterFirstBackward(reducer): exchanges all gradients at once; for a static graph, whose first backward only counts
// their uses
napi_value afterFirstBackward(const Napi::CallbackInfo& info) {
  reducerArg(info[0]).delay_all_reduce();
  return info.Env().Undefined();
}

}  // namespace

void exportReducer(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "verifyAndBroadcast", verifyAndBroadcast);
  exportFunction(exports, "broadcastCoalesced", broadcastCoalesced);
  exportFunction(exports, "createReducer", createReducer);
  exportFunction(exports, "beforeForward", beforeForward);
  exportFunction(exports, "beforeBackward", beforeBackward);
  exportFunction(exports, "afterFirstBackward", afterFirstBackward);
  // disposeReducer(reducer): frees it without waiting for the garbage collector
  exportFunction(exports, "disposeReducer", [](const Napi::CallbackInfo& info) {
    handleArg<ReducerHandle>(info[0]).reducer.reset();
    return info.Env().Undefined();
  });
}

}  // namespace cleanclip
