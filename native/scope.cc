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
  // openScope(): tensors made from now on are freed by the matching closeScope
  exportFunction(exports, "openScope", [](const Napi::CallbackInfo& info) {
    table(info).openScope();
    return info.Env().Undefined();
  });
  // closeScope(kept): frees the tensors of the innermost scope except `kept`, which move to the scope around it
  exportFunction(exports, "closeScope", [](const Napi::CallbackInfo& info) {
    table(info).closeScope(handles(info[0]));
    return info.Env().Undefined();
  });
  // keep(tensor): takes a tensor out of every scope; only `release` frees it then
  exportFunction(exports, "keep", [](const Napi::CallbackInfo& info) {
    table(info).keep(info[0].ToNumber().Int64Value());
    return info.Env().Undefined();
  });
  // release(tensor): frees a handle; false when it was free already
  exportFunction(exports, "release", [](const Napi::CallbackInfo& info) {
    return Napi::Boolean::New(info.Env(), table(info).release(info[0].ToNumber().Int64Value()));
  });
  // adjustMemory(bytes): tells V8 that its objects hold so many bytes more (or fewer), so that it collects garbage in
  // time. Returns V8's total in bytes.
  exportFunction(exports, "adjustMemory", [](const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(Napi::MemoryManagement::AdjustExternalMemory(
                                             info.Env(), info[0].ToNumber().Int64Value())));
  });
  // storageBytes(tensor): the bytes of its storage; 0 when other tensors share it
  exportFunction(exports, "storageBytes", [](const Napi::CallbackInfo& info) {
    const auto& tensor = table(info).get(info[0].ToNumber().Int64Value());
    const bool owner = tensor.has_storage() && tensor.storage().use_count() == 1;
    return Napi::Number::New(info.Env(), owner ? static_cast<double>(tensor.storage().nbytes()) : 0);
  });
  // memory(): { tensors, bytes }: the number of live handles of this thread, and the bytes of their distinct storages
  exportFunction(exports, "memory", [](const Napi::CallbackInfo& info) {
    auto result = Napi::Object::New(info.Env());
    result.Set("tensors", static_cast<double>(table(info).size()));
    result.Set("bytes", static_cast<double>(table(info).bytes()));
    return result;
  });
}

}  // namespace cleanclip
