#include "scope.h"

#include <c10/util/irange.h>

#include "env.h"
#include "exports.h"

namespace cleanclip {

namespace {

HandleTable& table(const Napi::CallbackInfo& info) { return Environment::of(info.Env()).tensors; }

std::vector<Handle> handles(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<Handle> result;
  for (const auto i : c10::irange(array.Length())) result.push_back(array.Get(i).ToNumber().Int64Value());
  return result;
}

}  // namespace

void exportScope(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "openScope", [](const Napi::CallbackInfo& info) {
    table(info).openScope();
    return info.Env().Undefined();
  });
  exportFunction(exports, "closeScope", [](const Napi::CallbackInfo& info) {
    table(info).closeScope(handles(info[0]));
    return info.Env().Undefined();
  });
  exportFunction(exports, "keep", [](const Napi::CallbackInfo& info) {
    table(info).keep(info[0].ToNumber().Int64Value());
    return info.Env().Undefined();
  });
  exportFunction(exports, "release", [](const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), table(info).release(info[0].ToNumber().Int64Value()));
  });
  // Tells V8 how many bytes its garbage holds, so that it collects in time. Returns V8's total.
  exportFunction(exports, "adjustMemory", [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(Napi::MemoryManagement::AdjustExternalMemory(
                                             info.Env(), info[0].ToNumber().Int64Value())));
  });
  exportFunction(exports, "storageBytes", [](const Napi::CallbackInfo& info) {
    const auto& tensor = table(info).get(info[0].ToNumber().Int64Value());
    const bool owner = tensor.has_storage() && tensor.storage().use_count() == 1;
    return Napi::Number::New(info.Env(), owner ? static_cast<double>(tensor.storage().nbytes()) : 0);
  });
  exportFunction(exports, "memory", [](const Napi::CallbackInfo& info) {
    auto result = Napi::Object::New(info.Env());
    result.Set("tensors", static_cast<double>(table(info).size()));
    result.Set("bytes", static_cast<double>(table(info).bytes()));
    return result;
  });
}

}  // namespace cleanclip
