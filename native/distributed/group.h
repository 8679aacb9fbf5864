// A process group: the ranks that exchange tensors.
#pragma once

#include <napi.h>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

namespace cleanclip {

struct GroupHandle {
  static constexpr napi_type_tag tag{0x51c2e8d47f0b4a96, 0xb6d90f3e5a7c1284};
  static constexpr const char* what = "process group";
  c10::intrusive_ptr<c10d::ProcessGroup> group;  // null once destroyed
  std::chrono::milliseconds timeout;
};

// The live group of a handle; throws ArgumentError.
GroupHandle& groupArg(const Napi::Value& value);

void exportGroups(Napi::Env env, Napi::Object exports);

}  // namespace cleanclip
