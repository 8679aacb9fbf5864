#include "autograd.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "exports.h"
#include "tensor.h"

namespace cleanclip {

namespace {

const at::Tensor& self(const Napi::CallbackInfo& info) { return tensorArg(info.Env(), info[0]); }

// Returns one gradient per output, undefined where JavaScript gave null (a gradient of ones). Null gives an empty list.
std::vector<at::Tensor> gradients(napi_env env, const Napi::Value& value, size_t count) {
  std::vector<at::Tensor> result;
  if (value.IsNull() || value.IsUndefined()) return result;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < count; i++) {
    const Napi::Value one = array.Get(i);
    result.push_back(one.IsNumber() ? tensorArg(env, one) : at::Tensor());
  }
  return result;
}

// backward(root, gradient | null, retainGraph, createGraph): adds gradients to `grad` of the leaves below `root`.
// `gradient` has the shape and dtype of `root`; null stands for ones, and needs a root of one element.
napi_value backward(const Napi::CallbackInfo& info) {
  const at::Tensor root = self(info);
  const at::Tensor gradient = info[1].IsNumber() ? tensorArg(info.Env(), info[1]) : at::Tensor();
  root.backward(gradient, info[2].ToBoolean(), info[3].ToBoolean());
  return info.Env().Undefined();
}

// gradientsOf(outputs, inputs, gradOutputs | null, retainGraph, createGraph, allowUnused): the gradient of each input,
// with its shape and dtype. With allowUnused it is null where no output depends on the input. `gradOutputs` has one
// tensor or null per output, of its shape and dtype. Null stands for ones, and needs an output of one element.
napi_value gradientsOf(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const auto outputs = tensorListArg(env, info[0]);
  const auto results =
      torch::autograd::grad(outputs, tensorListArg(env, info[1]), gradients(env, info[2], outputs.size()),
                            info[3].ToBoolean().Value(), info[4].ToBoolean(), info[5].ToBoolean());
  auto array = Napi::Array::New(info.Env(), results.size());
  for (size_t i = 0; i < results.size(); i++) {
    array.Set(static_cast<uint32_t>(i), Napi::Value(env, wrapTensor(env, results[i])));
  }
  return array;
}

// setGrad(tensor, gradient | null): replaces `grad` by a tensor of the same shape, dtype and device, or removes it
napi_value setGrad(const Napi::CallbackInfo& info) {
  const at::Tensor tensor = self(info);
  if (!info[1].IsNumber()) {
    tensor.mutable_grad() = at::Tensor();
    return info.Env().Undefined();
  }
  const at::Tensor gradient = tensorArg(info.Env(), info[1]);
  if (gradient.sizes() != tensor.sizes() || gradient.scalar_type() != tensor.scalar_type() ||
      gradient.device() != tensor.device()) {
    throw ArgumentError("A gradient has the shape, dtype and device of its tensor.");
  }
  tensor.mutable_grad() = gradient;
  return info.Env().Undefined();
}

// setAutocast(device, dtype | null): turns autocast to `dtype` on for this thread and device type; null turns it off.
// Returns the dtype that was set before, or null.
napi_value setAutocast(const Napi::CallbackInfo& info) {
  const auto device = deviceFromName(info[0].ToString().Utf8Value()).type();
  const bool before = at::autocast::is_autocast_enabled(device);
  const auto dtypeBefore = at::autocast::get_autocast_dtype(device);
  const bool enable = info[1].IsString();
  if (enable) at::autocast::set_autocast_dtype(device, dtypeFromName(info[1].ToString().Utf8Value()));
  at::autocast::set_autocast_enabled(device, enable);
  return before ? Napi::Value(Napi::String::New(info.Env(), dtypeName(dtypeBefore))) : info.Env().Null();
}

}  // namespace

void exportAutograd(Napi::Env, Napi::Object exports) {
  // requiresGrad(tensor): boolean
  exportFunction(exports, "requiresGrad", [](const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), self(info).requires_grad());
  });
  // setRequiresGrad(tensor, value): for a tensor of floating or complex numbers; only a leaf may be set to false
  exportFunction(exports, "setRequiresGrad", [](const Napi::CallbackInfo& info) {
    const bool wanted = info[1].ToBoolean();
    if (!wanted && !self(info).is_leaf()) {
      throw ArgumentError("Only a leaf can stop requiring gradients; use detach() to cut a result off its graph.");
    }
    self(info).set_requires_grad(wanted);
    return info.Env().Undefined();
  });
  // isLeaf(tensor): boolean
  exportFunction(exports, "isLeaf",
                 [](const Napi::CallbackInfo& info) { return Napi::Boolean::New(info.Env(), self(info).is_leaf()); });
  // grad(tensor): the gradient, with the tensor's shape and dtype, or null
  exportFunction(exports, "grad", [](const Napi::CallbackInfo& info) {
    return Napi::Value(info.Env(), wrapTensor(info.Env(), self(info).grad()));
  });
  exportFunction(exports, "setGrad", setGrad);
  exportFunction(exports, "backward", backward);
  exportFunction(exports, "gradientsOf", gradientsOf);
  // setGradMode(on): whether this thread records operations for backward; returns the mode before
  exportFunction(exports, "setGradMode", [](const Napi::CallbackInfo& info) {
    const bool before = at::GradMode::is_enabled();
    at::GradMode::set_enabled(info[0].ToBoolean());
    return Napi::Boolean::New(info.Env(), before);
  });
  // gradMode(): boolean
  exportFunction(exports, "gradMode", [](const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), at::GradMode::is_enabled());
  });
  exportFunction(exports, "setAutocast", setAutocast);
  // autocastNesting(enter): counts a region of autocast in or out on this thread. Weights that autocast has cast are
  // cached until the outermost region ends.
  exportFunction(exports, "autocastNesting", [](const Napi::CallbackInfo& info) {
    const int depth = info[0].ToBoolean() ? at::autocast::increment_nesting() : at::autocast::decrement_nesting();
    if (depth == 0) at::autocast::clear_cache();
    return info.Env().Undefined();
  });
}

}  // namespace cleanclip
