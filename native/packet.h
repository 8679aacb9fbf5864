// A packet is all overloads of one operator name, as in torch.ops.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <memory>
#include <string>
#include <vector>

#include "guards.h"
#include "values.h"

namespace cleanclip {

// A call's tensors are told by the bits of a double, which has 53; no schema takes this many arguments.
constexpr size_t kMaxArguments = 48;

struct Overload {
  c10::OperatorHandle op;
  std::vector<ArgumentSpec> arguments;
  std::vector<c10::TypePtr> returnTypes;
  int selfReturn = -1;  // the argument that an in-place or out= operator returns, else -1

  explicit Overload(const c10::OperatorHandle& handle);
};

struct Packet {
  std::string name;     // 'aten::add'
  std::string refusal;  // why it is not callable; empty when it is
  Guard guard;          // what it must be given beside its schema, or nullptr
  std::vector<Overload> overloads;
};

// The id of an operator name ('aten::add'), or -1. Ids are the same in all environments.
int findPacket(const std::string& name);
const Packet& packetAt(int id);

// All names that have at least one overload, sorted.
const std::vector<std::string>& packetNames();

// The schemas of all overloads that may be called, sorted by name and overload.
std::vector<std::string> schemas();

}  // namespace cleanclip
