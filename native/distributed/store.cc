#include "store.h"

#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "async_work.h"
#include "exports.h"
#include "handle.h"
#include "loopback.h"
#include "deadline.h"

namespace cleanclip {

namespace {

using Store = c10::intrusive_ptr<c10d::Store>;
using Bytes = std::vector<uint8_t>;

std::string text(const Napi::Value& value) { return value.ToString().Utf8Value(); }

Bytes bytes(const Napi::Value& value) {
  const auto array = value.As<Napi::Uint8Array>();
  return Bytes(array.Data(), array.Data() + array.ElementLength());
}

std::vector<std::string> keys(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> result;
  for (uint32_t i = 0; i < array.Length(); i++) result.push_back(text(array.Get(i)));
  return result;
}

// Returns a store for a call that may wait long. A TCPStore serves one call at a time, and others must not wait for it.
Store forWaiting(const Store& store) {
  return dynamic_cast<c10d::TCPStore*>(store.get()) != nullptr ? store->clone() : store;
}

MakeResult asHandle(Store store) {
  return [store = std::move(store)](Napi::Env env) { return wrapHandle(env, StoreHandle{store}); };
}

// Timeouts are in milliseconds, and the waiting calls return promises.

// tcpStore(host, port, world size | 0, is master, timeout, for this machine alone): a store; with port 0 the master
// chooses a free port
napi_value tcpStore(const Napi::CallbackInfo& info) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(info[1].ToNumber().Uint32Value());
  if (const auto workers = info[2].ToNumber().Uint32Value(); workers > 0) options.numWorkers = workers;
  options.isServer = info[3].ToBoolean();
  options.timeout = millisecondsArg(info[4]);
  options.multiTenant = true;
  return runAsync(
      info.Env(),
      withDeadline(options.timeout, [host = text(info[0]), loopback = info[5].ToBoolean().Value(), options] {
        const bool oneMachine = options.isServer && loopback;
        return asHandle(c10::make_intrusive<c10d::TCPStore>(host, oneMachine ? onLoopback(host, options) : options));
      }));
}

// fileStore(path, world size, timeout): a store in a file that all ranks can reach
napi_value fileStore(const Napi::CallbackInfo& info) {
  return runAsync(info.Env(),
                  [path = text(info[0]), size = info[1].ToNumber().Int32Value(), timeout = millisecondsArg(info[2])] {
                    Store store = c10::make_intrusive<c10d::FileStore>(path, size);
                    store->setTimeout(timeout);
                    return asHandle(std::move(store));
                  });
}

// storePort(store): the port on which a TCPStore listens; 0 for other stores
napi_value storePort(const Napi::CallbackInfo& info) {
  const auto* tcp = dynamic_cast<c10d::TCPStore*>(storeArg(info[0]).get());
  return Napi::Number::New(info.Env(), tcp != nullptr ? tcp->getPort() : 0);
}

// storeSet(store, key, bytes)
napi_value storeSet(const Napi::CallbackInfo& info) {
  const auto& store = storeArg(info[0]);
  return waitAsync(info.Env(), withDeadline(store->getTimeout(), [store, key = text(info[1]), value = bytes(info[2])] {
                     store->set(key, value);
                   }));
}

// storeGet(store, key): waits for the key; its value as a Buffer
napi_value storeGet(const Napi::CallbackInfo& info) {
  const auto& store = storeArg(info[0]);
  return runAsync(info.Env(), withDeadline(store->getTimeout(), [store, key = text(info[1])]() -> MakeResult {
                    return [value = forWaiting(store)->get(key)](Napi::Env env) {
                      return Napi::Buffer<uint8_t>::Copy(env, value.data(), value.size());
                    };
                  }));
}

// storeAdd(store, key, amount): adds an integer to a counter, which starts at 0; the new sum
napi_value storeAdd(const Napi::CallbackInfo& info) {
  const auto& store = storeArg(info[0]);
  return runAsync(info.Env(),
                  withDeadline(store->getTimeout(),
                               [store, key = text(info[1]), amount = info[2].ToNumber().Int64Value()]() -> MakeResult {
                                 return [sum = store->add(key, amount)](Napi::Env env) {
                                   return Napi::Number::New(env, static_cast<double>(sum));
                                 };
                               }));
}

// storeWait(store, keys, timeout): waits until all keys are set
napi_value storeWait(const Napi::CallbackInfo& info) {
  const auto timeout = millisecondsArg(info[2]);
  return waitAsync(info.Env(), withDeadline(timeout, [store = storeArg(info[0]), wanted = keys(info[1]), timeout] {
                     forWaiting(store)->wait(wanted, timeout);
                   }));
}

// storeCheck(store, keys): whether all keys are set
napi_value storeCheck(const Napi::CallbackInfo& info) {
  const auto& store = storeArg(info[0]);
  return runAsync(info.Env(), withDeadline(store->getTimeout(), [store, wanted = keys(info[1])]() -> MakeResult {
                    return [there = store->check(wanted)](Napi::Env env) { return Napi::Boolean::New(env, there); };
                  }));
}

// storeDelete(store, key): whether the key existed
napi_value storeDelete(const Napi::CallbackInfo& info) {
  const auto& store = storeArg(info[0]);
  return runAsync(info.Env(), withDeadline(store->getTimeout(), [store, key = text(info[1])]() -> MakeResult {
                    return
                        [deleted = store->deleteKey(key)](Napi::Env env) { return Napi::Boolean::New(env, deleted); };
                  }));
}

// storeClose(store): lets go of the store at once; the master's server ends when no group uses it either
napi_value storeClose(const Napi::CallbackInfo& info) {
  handleArg<StoreHandle>(info[0]).store.reset();
  return info.Env().Undefined();
}

}  // namespace

const Store& storeArg(const Napi::Value& value) {
  const auto& store = handleArg<StoreHandle>(value).store;
  if (!store) throw ArgumentError("This store was closed; make another one.");
  return store;
}

std::chrono::milliseconds millisecondsArg(const Napi::Value& value) {
  return std::chrono::milliseconds(value.ToNumber().Int64Value());
}

void exportStores(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "tcpStore", tcpStore);
  exportFunction(exports, "fileStore", fileStore);
  exportFunction(exports, "storePort", storePort);
  exportFunction(exports, "storeSet", storeSet);
  exportFunction(exports, "storeGet", storeGet);
  exportFunction(exports, "storeAdd", storeAdd);
  exportFunction(exports, "storeWait", storeWait);
  exportFunction(exports, "storeCheck", storeCheck);
  exportFunction(exports, "storeDelete", storeDelete);
  exportFunction(exports, "storeClose", storeClose);
}

}  // namespace cleanclip
