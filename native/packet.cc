#include "packet.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <unordered_map>

#include "unsafe_operators.h"

namespace cleanclip {

namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::vector<c10::OperatorHandle>> handles;
  std::unordered_map<std::string, int> ids;
  std::deque<Packet> packets;

  Registry() {
    auto& dispatcher = c10::Dispatcher::singleton();
    for (const auto& name : dispatcher.getAllOpNames()) {
      if (const auto handle = dispatcher.findSchema(name)) handles[name.name].push_back(*handle);
    }
  }
};

Registry& registry() {
  static Registry* instance = new Registry();
  return *instance;
}

// Where several overloads fit equally well the first wins: the plain one, then Tensor, then by name.
int rank(const std::string& overload) {
  if (overload.empty()) return 0;
  return overload == "Tensor" ? 1 : 2;
}

bool takesDimnames(const c10::FunctionSchema& schema) {
  return schema.overload_name().find("Dimname") != std::string::npos ||
         schema.overload_name().find("dimname") != std::string::npos ||
         schema.overload_name().find("names") != std::string::npos;
}

}  // namespace

Overload::Overload(const c10::OperatorHandle& handle) : op(handle) {
  const auto& schema = handle.schema();
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
  const std::lock_guard<std::mutex> lock(all.mutex);
  if (const auto known = all.ids.find(name); known != all.ids.end()) return known->second;
  const auto found = all.handles.find(name);
  if (found == all.handles.end()) return -1;
  auto handles = found->second;
  std::sort(handles.begin(), handles.end(), [](const auto& a, const auto& b) {
    const auto& left = a.operator_name().overload_name;
    const auto& right = b.operator_name().overload_name;
    return std::make_pair(rank(left), left) < std::make_pair(rank(right), right);
  });
  Packet packet{name, refusalOf(name), {}};
  for (const auto& handle : handles) {
    if (!takesDimnames(handle.schema())) packet.overloads.emplace_back(handle);
  }
  const int id = static_cast<int>(all.packets.size());
  all.packets.push_back(std::move(packet));
  all.ids[name] = id;
  return id;
}

const Packet& packetAt(int id) {
  auto& all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  TORCH_CHECK(id >= 0 && static_cast<size_t>(id) < all.packets.size(), "There is no operator with the id ", id, ".");
  return all.packets[id];
}

std::vector<std::string> packetNames() {
  std::vector<std::string> names;
  for (const auto& [name, handles] : registry().handles) names.push_back(name);
  return names;
}

std::vector<std::string> schemas() {
  std::vector<std::string> result;
  for (const auto& [name, handles] : registry().handles) {
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
