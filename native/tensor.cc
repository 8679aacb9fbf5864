#include "tensor.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/util/irange.h>

#include <cstring>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "exports.h"

namespace cleanclip {

namespace {

const at::Tensor& self(const Napi::CallbackInfo& info) { return tensorArg(info.Env(), info[0]); }

std::vector<int64_t> sizes(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<int64_t> result;
  for (const auto i : c10::irange(array.Length())) result.push_back(array.Get(i).ToNumber().Int64Value());
  return result;
}

Napi::Value numbers(Napi::Env env, at::IntArrayRef values) {
  auto array = Napi::Array::New(env, values.size());
  for (const auto i : c10::irange(values.size())) array.Set(static_cast<uint32_t>(i), static_cast<double>(values[i]));
  return array;
}

// Returns the bytes of a typed array or Buffer, and how many there are.
std::pair<const uint8_t*, size_t> bytesOf(const Napi::Value& value) {
  if (!value.IsTypedArray()) throw ArgumentError("A typed array was expected as tensor data.");
  const auto array = value.As<Napi::TypedArray>();
  return {static_cast<const uint8_t*>(array.ArrayBuffer().Data()) + array.ByteOffset(), array.ByteLength()};
}

// fromBytes(typedArray, dtype, shape): a new CPU tensor of this dtype and shape with a copy of the bytes. They are in
// row-major order and the machine's byte order.
napi_value fromBytes(const Napi::CallbackInfo& info) {
  const auto [data, length] = bytesOf(info[0]);
  const auto dtype = dtypeFromName(info[1].ToString().Utf8Value());
  auto tensor = at::empty(sizes(info[2]), at::TensorOptions(dtype));
  if (tensor.nbytes() != length) {
    throw ArgumentError("The shape asks for " + std::to_string(tensor.numel()) + " elements of " + dtypeName(dtype) +
                        " (" + std::to_string(tensor.nbytes()) + " bytes), but the data has " + std::to_string(length) +
                        " bytes.");
  }
  if (length > 0) std::memcpy(tensor.mutable_data_ptr(), data, length);
  return wrapTensor(info.Env(), tensor);
}

const at::Tensor& dense(const at::Tensor& tensor) {
  if (tensor.layout() != at::kStrided || tensor.is_quantized() || tensor.is_meta() || !tensor.has_storage()) {
    throw ArgumentError("Only the data of a dense tensor can be read; call to_dense() or dequantize() first.");
  }
  return tensor;
}

// copyBytes(tensor): an ArrayBuffer with a copy of the elements in row-major order; for any dense tensor on any device
napi_value copyBytes(const Napi::CallbackInfo& info) {
  const auto& source = dense(self(info));
  // Forward-mode autograd makes zero tensors without memory.
  const auto tensor = source._is_zerotensor() ? at::zeros(source.sizes(), source.options())
                                              : source.detach().resolve_conj().resolve_neg().to(at::kCPU).contiguous();
  auto buffer = Napi::ArrayBuffer::New(info.Env(), tensor.nbytes());
  if (tensor.nbytes() > 0) std::memcpy(buffer.Data(), tensor.const_data_ptr(), tensor.nbytes());
  return buffer;
}

// viewBytes(tensor): an ArrayBuffer over the memory of a contiguous CPU tensor, which it keeps alive
napi_value viewBytes(const Napi::CallbackInfo& info) {
  const auto& tensor = dense(self(info));
  if (!tensor.device().is_cpu() || !tensor.is_contiguous() || tensor._is_zerotensor()) {
    throw ArgumentError("bytes() views a contiguous CPU tensor; call .cpu().contiguous() first.");
  }
  if (tensor.nbytes() == 0) return Napi::ArrayBuffer::New(info.Env(), 0);
  // A resize would move the memory that the buffer shows.
  auto* owner = new c10::Storage(tensor.storage());
  owner->unsafeGetStorageImpl()->set_resizable(false);
  return Napi::ArrayBuffer::New(
      info.Env(), tensor.mutable_data_ptr(), tensor.nbytes(), [](Napi::Env, void*, c10::Storage* kept) { delete kept; },
      owner);
}

// Tensors on their way to another thread of this process.
struct Shared {
  std::mutex mutex;
  std::unordered_map<int64_t, at::Tensor> tensors;
  int64_t next = 1;
};

Shared& shared() {
  static Shared* instance = new Shared();
  return *instance;
}

// share(tensor): keeps a tensor for another thread, and returns a token for `take`
napi_value share(const Napi::CallbackInfo& info) {
  const auto& tensor = self(info);
  auto& all = shared();
  const std::lock_guard<std::mutex> lock(all.mutex);
  all.tensors.emplace(all.next, tensor);
  return Napi::Number::New(info.Env(), static_cast<double>(all.next++));
}

// take(token): the tensor that was shared, over the same memory; a token can be used once, on any thread
napi_value take(const Napi::CallbackInfo& info) {
  auto& all = shared();
  at::Tensor tensor;
  {
    const std::lock_guard<std::mutex> lock(all.mutex);
    const auto found = all.tensors.find(info[0].ToNumber().Int64Value());
    if (found == all.tensors.end())
      throw ArgumentError("There is no shared tensor with this token; it was taken already.");
    tensor = std::move(found->second);
    all.tensors.erase(found);
  }
  return wrapTensor(info.Env(), std::move(tensor));
}

}  // namespace

std::vector<at::Tensor> tensorListArg(napi_env env, napi_value value) {
  const auto array = Napi::Value(env, value).As<Napi::Array>();
  std::vector<at::Tensor> result;
  for (const auto i : c10::irange(array.Length())) result.push_back(tensorArg(env, array.Get(i)));
  return result;
}

napi_value wrapTensor(napi_env env, at::Tensor tensor) {
  napi_value result = nullptr;
  if (!tensor.defined()) {
    check(napi_get_null(env, &result));
  } else {
    check(napi_create_double(env, static_cast<double>(Environment::of(env).tensors.add(std::move(tensor))), &result));
  }
  return result;
}

void exportTensor(Napi::Env, Napi::Object exports) {
  // setErrorClass(class): errors are made by `new class(message, code)` from now on
  exportFunction(exports, "setErrorClass", [](const Napi::CallbackInfo& info) {
    Environment::of(info.Env()).errorClass = Napi::Persistent(info[0].As<Napi::Function>());
    return info.Env().Undefined();
  });
  // setTensorFactory(factory): `factory(handle)` makes the Tensor objects in results that hold several tensors
  exportFunction(exports, "setTensorFactory", [](const Napi::CallbackInfo& info) {
    Environment::of(info.Env()).tensorFactory = Napi::Persistent(info[0].As<Napi::Function>());
    return info.Env().Undefined();
  });
  // shape(tensor): its sizes
  exportFunction(exports, "shape",
                 [](const Napi::CallbackInfo& info) { return numbers(info.Env(), self(info).sizes()); });
  // strides(tensor): in elements
  exportFunction(exports, "strides",
                 [](const Napi::CallbackInfo& info) { return numbers(info.Env(), self(info).strides()); });
  // dtype(tensor): 'float32' and so on
  exportFunction(exports, "dtype", [](const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), dtypeName(self(info).scalar_type()));
  });
  // device(tensor): 'cpu', 'cuda:0' and so on
  exportFunction(exports, "device", [](const Napi::CallbackInfo& info) {
    return Napi::String::New(info.Env(), self(info).device().str());
  });
  // storageKey(tensor): a bigint that is equal for tensors which share their storage; for dense tensors
  exportFunction(exports, "storageKey", [](const Napi::CallbackInfo& info) {
    const auto& storage = dense(self(info)).storage();
    return Napi::BigInt::New(info.Env(),
                             static_cast<uint64_t>(reinterpret_cast<uintptr_t>(storage.unsafeGetStorageImpl())));
  });
  exportFunction(exports, "fromBytes", fromBytes);
  exportFunction(exports, "copyBytes", copyBytes);
  exportFunction(exports, "viewBytes", viewBytes);
  exportFunction(exports, "share", share);
  exportFunction(exports, "take", take);
}

}  // namespace cleanclip
