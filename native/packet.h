// A packet is all overloads of one operator name, as in torch.ops.
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>

#include <memory>
#include <string>
#include <vector>

#include "guards.h"
#include "values.h"

namespace cleanclip {

// The bits of a double, which holds 53 exactly, say which arguments of a call are tensors. No schema has more arguments
// than this.
constexpr size_t kMaxArguments = 48;

struct Overload {
  c10::OperatorHandle op;
  std::vector<ArgumentSpec> arguments;
  std::vector<c10::TypePtr> returnTypes;
  int selfReturn = -1;  // the index of the argument that an in-place or out= operator returns, else -1

  explicit Overload(const c10::OperatorHandle& handle);
};

struct Packet {
  std::string name;     // 'aten::add'
  std::string refusal;  // why it may not be called; empty when it may
  Guard guard;          // checks the arguments before a call; nullptr when the schema is enough
  std::vector<Overload> overloads;
};

// Returns the id of an operator name ('aten::add'), or -1. Ids are the same in all environments.
int findPacket(const std::string& name);

// Returns the packet of an id that findPacket gave.
const Packet& packetAt(int id);

// Returns all names that have at least one overload, sorted.
const std::vector<std::string>& packetNames();

// Returns the schemas of all overloads that may be called, sorted.
std::vector<std::string> schemas();

}  // namespace cleanclip
