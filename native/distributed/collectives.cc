#include "collectives.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "async_work.h"
#include "exports.h"
#include "group.h"
#include "tensor.h"

namespace cleanclip {

namespace {

using c10d::ReduceOp;
using Work = c10::intrusive_ptr<c10d::Work>;

bool reaches(const c10d::ProcessGroup& group, c10::DeviceType type) {
  const auto devices = group.getDeviceTypes();
  return std::any_of(devices.begin(), devices.end(), [&](const c10::Device& device) { return device.type() == type; });
}

// Returns a tensor whose memory a backend may read and write while JavaScript goes on.
at::Tensor exchanged(const Napi::CallbackInfo& info, const Napi::Value& value) {
  const at::Tensor tensor = tensorArg(info.Env(), value).detach();
  if (tensor.layout() != at::kStrided || !tensor.has_storage() || !tensor.is_contiguous() || tensor.is_quantized()) {
    throw ArgumentError("Ranks exchange dense contiguous tensors; call contiguous() first.");
  }
  if (!reaches(*groupArg(info[0]).group, tensor.device().type())) {
    throw ArgumentError("The process group does not reach tensors on '" + tensor.device().str() +
                        "'; ranks exchange those on 'cpu' and 'cuda'.");
  }
  tensor.storage().unsafeGetStorageImpl()->set_resizable(false);  // a resize would move the memory
  return tensor;
}

// Waits until the tensors of a work are final. Gloo keeps the group's time limit itself; NCCL's wait takes it.
void finish(const Work& work, const at::Tensor& tensor, std::chrono::milliseconds timeout) {
  work->wait(tensor.is_cuda() ? timeout : kNoTimeout);
}

// Returns a promise without a value, for work that fills tensors of the caller.
napi_value finishAsync(const Napi::CallbackInfo& info, Work work, at::Tensor tensor) {
  return waitAsync(info.Env(), [work = std::move(work), tensor = std::move(tensor),
                                timeout = groupArg(info[0]).timeout] { finish(work, tensor, timeout); });
}

ReduceOp::RedOpType reduction(const std::string& name) {
  if (name == "min") return ReduceOp::MIN;
  if (name == "max") return ReduceOp::MAX;
  if (name == "product") return ReduceOp::PRODUCT;
  return ReduceOp::SUM;  // a mean is a sum, divided afterwards
}

// Waits for a reduction; divides the sum where a mean was asked for.
void finishReduction(const Work& work, at::Tensor result, const std::string& op, const GroupHandle& handle) {
  finish(work, result, handle.timeout);
  const at::NoGradGuard guard;
  if (op == "mean") result.div_(handle.group->getSize());
}

// In the calls below, tensors are dense and contiguous, and have the same shape and dtype on all ranks unless the
// comment says otherwise. Each call returns a promise. `op` is sum, mean, min, max or product.

// allReduce(group, tensor, op): in place
napi_value allReduce(const Napi::CallbackInfo& info) {
  const auto& handle = groupArg(info[0]);
  const auto op = info[2].ToString().Utf8Value();
  std::vector<at::Tensor> tensors{exchanged(info, info[1])};
  c10d::AllreduceOptions options;
  options.reduceOp = reduction(op);
  const auto work = handle.group->allreduce(tensors, options);
  return waitAsync(info.Env(), [work, tensor = tensors[0], op, handle] { finishReduction(work, tensor, op, handle); });
}

// broadcast(group, tensor, source): in place
napi_value broadcast(const Napi::CallbackInfo& info) {
  std::vector<at::Tensor> tensors{exchanged(info, info[1])};
  c10d::BroadcastOptions options;
  options.rootRank = info[2].ToNumber();
  return finishAsync(info, groupArg(info[0]).group->broadcast(tensors, options), tensors[0]);
}

// allGather(group, tensor): a list with a tensor per rank, each with the shape and dtype of `tensor`
napi_value allGather(const Napi::CallbackInfo& info) {
  const auto& handle = groupArg(info[0]);
  std::vector<at::Tensor> inputs{exchanged(info, info[1])};
  std::vector<std::vector<at::Tensor>> outputs(1);
  for (int rank = 0; rank < handle.group->getSize(); rank++) outputs[0].push_back(at::empty_like(inputs[0]));
  const auto work = handle.group->allgather(outputs, inputs);
  return runAsync(info.Env(), [work, outputs = outputs[0], timeout = handle.timeout]() -> MakeResult {
    finish(work, outputs[0], timeout);
    return [outputs](Napi::Env env) {
      auto array = Napi::Array::New(env, outputs.size());
      for (uint32_t i = 0; i < outputs.size(); i++) array.Set(i, Napi::Value(env, wrapTensor(env, outputs[i])));
      return array;
    };
  });
}

// reduceScatter(group, tensor [n·ranks, …], op): this rank's rows of the result, [n, …]
napi_value reduceScatter(const Napi::CallbackInfo& info) {
  const auto& handle = groupArg(info[0]);
  const auto op = info[2].ToString().Utf8Value();
  std::vector<std::vector<at::Tensor>> inputs{exchanged(info, info[1]).chunk(handle.group->getSize())};
  std::vector<at::Tensor> outputs{at::empty_like(inputs[0][0])};
  c10d::ReduceScatterOptions options;
  options.reduceOp = reduction(op);
  const auto work = handle.group->reduce_scatter(outputs, inputs, options);
  return runAsync(info.Env(), [work, output = outputs[0], op, handle]() -> MakeResult {
    finishReduction(work, output, op, handle);
    return [output](Napi::Env env) { return wrapTensor(env, output); };
  });
}

// barrier(group): waits for all ranks
napi_value barrier(const Napi::CallbackInfo& info) {
  const auto& handle = groupArg(info[0]);
  c10d::BarrierOptions options;
  options.device = at::Device(at::kCPU);
  return waitAsync(info.Env(), [work = handle.group->barrier(options)] { work->wait(); });
}

// send(group, tensor, destination, tag): to the rank `destination`
napi_value send(const Napi::CallbackInfo& info) {
  std::vector<at::Tensor> tensors{exchanged(info, info[1])};
  return finishAsync(info, groupArg(info[0]).group->send(tensors, info[2].ToNumber(), info[3].ToNumber()), tensors[0]);
}

// recv(group, tensor, source, tag): from the rank `source`, in place
napi_value recv(const Napi::CallbackInfo& info) {
  std::vector<at::Tensor> tensors{exchanged(info, info[1])};
  return finishAsync(info, groupArg(info[0]).group->recv(tensors, info[2].ToNumber(), info[3].ToNumber()), tensors[0]);
}

}  // namespace

void exportCollectives(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "allReduce", allReduce);
  exportFunction(exports, "broadcast", broadcast);
  exportFunction(exports, "allGather", allGather);
  exportFunction(exports, "reduceScatter", reduceScatter);
  exportFunction(exports, "barrier", barrier);
  exportFunction(exports, "send", send);
  exportFunction(exports, "recv", recv);
}

}  // namespace cleanclip
