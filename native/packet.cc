#include "packet.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "unsafe_operators.h"

namespace cleanclip {

namespace {

// All operator names, sorted; the index of a name is the id of its packet. A packet is made at its first use.
struct Registry {
  std::map<std::string, std::vector<c10::OperatorHandle>> handles;
  std::vector<std::string> names;
  std::mutex mutex;
  std::vector<std::unique_ptr<const Packet>> packets;

  Registry() {
    auto& dispatcher = c10::Dispatcher::singleton();
    for (const auto& name : dispatcher.getAllOpNames()) {
      if (const auto handle = dispatcher.findSchema(name)) handles[name.name].push_back(*handle);
    }
    for (const auto& [name, overloads] : handles) names.push_back(name);
    packets.resize(names.size());
  }
};

Registry& registry() {
  static Registry* instance = new Registry();
  return *instance;
}

// When several overloads fit equally well, the first one wins: the one without a name, then Tensor, then by name.
int rank(const std::string& overload) {
  if (overload.empty()) return 0;
  return overload == "Tensor" ? 1 : 2;
}

bool takesDimnames(const c10::FunctionSchema& schema) {
  return schema.overload_name().find("Dimname") != std::string::npos ||
         schema.overload_name().find("dimname") != std::string::npos ||
         schema.overload_name().find("names") != std::string::npos;
}

std::unique_ptr<const Packet> makePacket(const std::string& name, std::vector<c10::OperatorHandle> handles) {
  std::sort(handles.begin(), handles.end(), [](const auto& a, const auto& b) {
    const auto& left = a.operator_name().overload_name;
    const auto& right = b.operator_name().overload_name;
    return std::make_pair(rank(left), left) < std::make_pair(rank(right), right);
  });
  auto packet = std::make_unique<Packet>(Packet{name, refusalOf(name), guardOf(name), {}});
  for (const auto& handle : handles) {
    if (!takesDimnames(handle.schema())) packet->overloads.emplace_back(handle);
  }
  return packet;
}

}  // namespace

Overload::Overload(const c10::OperatorHandle& handle) : op(handle) {
  const auto& schema = handle.schema();
  TORCH_CHECK(schema.arguments().size() <= kMaxArguments, schema.name(), " takes too many arguments.");
  for (const auto& argument : schema.arguments()) arguments.emplace_back(argument);
  for (const auto& result : schema.returns()) returnTypes.push_back(result.real_type());
  if (schema.returns().size() != 1 || !schema.returns()[0].type()->isSubtypeOf(*c10::TensorType::get())) return;
  const auto* alias = schema.returns()[0].alias_info();
  if (alias == nullptr || !alias->isWrite()) return;
  for (size_t i = 0; i < schema.arguments().size(); i++) {
    const auto* own = schema.arguments()[i].alias_info();
    if (own != nullptr && own->isWrite() && own->beforeSets() == alias->beforeSets()) {
      selfReturn = static_cast<int>(i);
      return;
    }
  }
}

int findPacket(const std::string& name) {
  auto& all = registry();
  const auto found = std::lower_bound(all.names.begin(), all.names.end(), name);
  if (found == all.names.end() || *found != name) return -1;
  const auto id = found - all.names.begin();
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (all.packets[id] == nullptr) all.packets[id] = makePacket(name, all.handles.at(name));
  return static_cast<int>(id);
}

const Packet& packetAt(int id) {
  // No lock is needed: findPacket has made the packet before it gave the id, and a packet never changes.
  return *registry().packets.at(id);
}

const std::vector<std::string>& packetNames() { return registry().names; }

std::vector<std::string> schemas() {
  std::vector<std::string> result;
  for (const auto& [name, handles] : registry().handles) {
    if (!refusalOf(name).empty()) continue;
    for (const auto& handle : handles) {
      std::ostringstream stream;
      stream << handle.schema();
      result.push_back(stream.str());
    }
  }
  std::sort(result.begin(), result.end());
  return result;
}

}  // namespace cleanclip
