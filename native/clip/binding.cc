#include "binding.h"

#include "clip.h"
#include "distributed/group.h"
#include "errors.h"
#include "init.h"
#include "random.h"
#include "tensor.h"

namespace cleanclip {

namespace {

TextPool textPool(const std::string& name) {
  if (name == "eos") return TextPool::eos;
  if (name == "first") return TextPool::first;
  return name == "last" ? TextPool::last : TextPool::argmax;
}

ClipConfig configArg(const Napi::Object& object) {
  const auto number = [&](const char* key) { return object.Get(key).ToNumber().Int64Value(); };
  const auto text = [&](const char* key) { return object.Get(key).ToString().Utf8Value(); };
  const auto flag = [&](const char* key) { return object.Get(key).ToBoolean().Value(); };
  const bool quick = text("activation") == "quick_gelu";
  ClipConfig config{
      .embed_dim = number("embedDim"),
      .image_size = number("imageSize"),
      .vision_layers = {},
      .vision = {number("visionWidth"), number("visionHeads"), number("visionMlpWidth"), quick,
                 flag("visionLayerScale")},
      .patch_size = number("visionPatchSize"),
      .pre_norm = flag("visionPreNorm"),
      .mean_pool = text("visionPool") == "avg",
      .norm_after_pool = flag("visionNormAfterPool"),
      .context_length = number("contextLength"),
      .vocabulary_size = number("vocabularySize"),
      .text = {number("textWidth"), number("textHeads"), number("textMlpWidth"), quick, flag("textLayerScale")},
      .text_layers = number("textLayers"),
      .text_pool = textPool(text("textPool")),
      .eos_id = number("textEosId"),
      .causal = flag("textCausal"),
      .projection_bias = flag("textProjectionBias"),
      .logit_bias = flag("logitBias"),
  };
  const auto layers = object.Get("visionLayers").As<Napi::Array>();
  for (uint32_t stage = 0; stage < layers.Length(); stage++) {
    config.vision_layers.push_back(layers.Get(stage).ToNumber().Int64Value());
  }
  return config;
}

napi_value triple(Napi::Env env, const NamedTensor& entry) {
  auto array = Napi::Array::New(env, 3);
  array.Set(0u, entry.name);
  array.Set(1u, Napi::Value(env, wrapTensor(env, entry.tensor)));
  array.Set(2u, entry.is_parameter);
  return array;
}

class ClipModule : public Napi::ObjectWrap<ClipModule> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(env, "ClipModule",
                       {
                           method<&ClipModule::encodeImage>("encodeImage"),
                           method<&ClipModule::encodeText>("encodeText"),
                           method<&ClipModule::forward>("forward"),
                           method<&ClipModule::state>("state"),
                           method<&ClipModule::train>("train"),
                           method<&ClipModule::setCheckpointing>("setCheckpointing"),
                           method<&ClipModule::syncBatchNorm>("syncBatchNorm"),
                           method<&ClipModule::to>("to"),
                           method<&ClipModule::dispose>("dispose"),
                       });
  }

  // new ClipModule(config, generator | null): a float32 model on the CPU. The generator draws its first weights; with
  // null, the tensors are not set, and must be loaded.
  explicit ClipModule(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ClipModule>(info) {
    const auto env = info.Env();
    guarded(env, [&]() -> napi_value {
      clip_ = std::make_shared<Clip>(configArg(info[0].As<Napi::Object>()));
      if (!info[1].IsNull()) initialise(*clip_, generatorArg(env, info[1]));
      return nullptr;
    });
    if (env.IsExceptionPending()) throw env.GetAndClearPendingException();
  }

 private:
  template <napi_value (ClipModule::*body)(const Napi::CallbackInfo&)>
  Napi::Value call(const Napi::CallbackInfo& info) {
    return Napi::Value(info.Env(), guarded(info.Env(), [&] { return (this->*body)(info); }));
  }

  template <napi_value (ClipModule::*body)(const Napi::CallbackInfo&)>
  static PropertyDescriptor method(const char* name) {
    return InstanceMethod<&ClipModule::call<body>>(name);
  }

  // encodeImage(pixels): normalised pixels [N, 3, S, S] of a floating dtype -> features [N, embed_dim] in the model's
  // dtype, not of unit length
  napi_value encodeImage(const Napi::CallbackInfo& info) {
    return wrapTensor(info.Env(), clip().encode_image(tensorArg(info.Env(), info[0])));
  }

  // encodeText(ids, pack): token ids int64 [N, ≤ context_length] -> features [N, embed_dim] in the model's dtype, not
  // of unit length. `pack` leaves out the tokens after each row's feature.
  napi_value encodeText(const Napi::CallbackInfo& info) {
    return wrapTensor(info.Env(), clip().encode_text(tensorArg(info.Env(), info[0]), info[1].ToBoolean()));
  }

  // forward(ids, pixels, pack, repeated): [image, text], two tensors of unit features [N, embed_dim], in float32 for
  // models in half precision. A repeated pass does not update batch norm's running statistics.
  napi_value forward(const Napi::CallbackInfo& info) {
    const auto env = info.Env();
    std::optional<FrozenStatistics> frozen;
    if (info[3].ToBoolean()) frozen.emplace();
    const auto [images, texts] = clip().forward(tensorArg(env, info[0]), tensorArg(env, info[1]), info[2].ToBoolean());
    auto result = Napi::Array::New(env, 2);
    result.Set(0u, Napi::Value(env, wrapTensor(env, images)));
    result.Set(1u, Napi::Value(env, wrapTensor(env, texts)));
    return result;
  }

  // state(): [name, tensor, is a parameter] of each entry of Python's state_dict(), in its order; no copies
  napi_value state(const Napi::CallbackInfo& info) {
    const auto entries = clip().state();
    auto result = Napi::Array::New(info.Env(), entries.size());
    for (uint32_t i = 0; i < entries.size(); i++)
      result.Set(i, Napi::Value(info.Env(), triple(info.Env(), entries[i])));
    return result;
  }

  // train(on): training or evaluation mode, in which batch norm uses its running statistics
  napi_value train(const Napi::CallbackInfo& info) {
    clip().train(info[0].ToBoolean());
    return info.Env().Undefined();
  }

  // setCheckpointing(on): whether backward computes each block again instead of storing its activations
  napi_value setCheckpointing(const Napi::CallbackInfo& info) {
    clip().set_checkpointing(info[0].ToBoolean());
    return info.Env().Undefined();
  }

  // syncBatchNorm(group | null): batch norm in training uses the batches of all ranks, or of this rank alone
  napi_value syncBatchNorm(const Napi::CallbackInfo& info) {
    clip().sync_batch_norm(info[0].IsNull() ? c10::intrusive_ptr<c10d::ProcessGroup>() : groupArg(info[0]).group);
    return info.Env().Undefined();
  }

  // to(device, dtype): in place, so that the handles of `state` stay valid
  napi_value to(const Napi::CallbackInfo& info) {
    clip().to(deviceFromName(info[0].ToString().Utf8Value()), dtypeFromName(info[1].ToString().Utf8Value()));
    return info.Env().Undefined();
  }

  // dispose(): lets go of the tensors without waiting for the garbage collector
  napi_value dispose(const Napi::CallbackInfo& info) {
    clip_.reset();
    return info.Env().Undefined();
  }

  Clip& clip() {
    if (!clip_) throw ArgumentError("This model was disposed; load it again.");
    return *clip_;
  }

  std::shared_ptr<Clip> clip_;
};

}  // namespace

void exportClip(Napi::Env env, Napi::Object exports) { exports.Set("ClipModule", ClipModule::define(env)); }

}  // namespace cleanclip
