// Key-value stores through which ranks find one another.
#pragma once

#include <napi.h>
#include <torch/csrc/distributed/c10d/Store.hpp>

namespace cleanclip {

struct StoreHandle {
  static constexpr napi_type_tag tag{0x7b1f6a3c9d0e4c58, 0x8e2a41d7b3c95f60};
  static constexpr const char* what = "store";
  c10::intrusive_ptr<c10d::Store> store;  // null once closed
};

// The store of a handle; throws ArgumentError when it was closed.
const c10::intrusive_ptr<c10d::Store>& storeArg(const Napi::Value& value);

std::chrono::milliseconds millisecondsArg(const Napi::Value& value);

void exportStores(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
