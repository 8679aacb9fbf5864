#include "handle_table.h"

#include <algorithm>
#include <unordered_set>

#include "errors.h"

namespace cleanclip {

namespace {
constexpr Handle kSlots = Handle{1} << 24;
constexpr uint32_t kGenerations = uint32_t{1} << 24;

size_t slotOf(Handle handle) { return static_cast<size_t>(handle & (kSlots - 1)); }
uint32_t generationOf(Handle handle) { return static_cast<uint32_t>(handle >> 24); }
}  // namespace

Handle HandleTable::add(at::Tensor tensor) {
  uint32_t index;
  if (free_.empty()) {
    if (slots_.size() >= static_cast<size_t>(kSlots)) {
      throw ArgumentError("More than 16,777,216 tensors are alive; use torch.tidy or dispose() to free them.");
    }
    index = static_cast<uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[index];
  slot.tensor = std::move(tensor);
  slot.live = true;
  slot.kept = false;
  const Handle handle = Handle{index} | (Handle{slot.generation} << 24);
  if (!marks_.empty()) created_.push_back(handle);
  return handle;
}

const at::Tensor& HandleTable::get(Handle handle) const {
  const size_t index = slotOf(handle);
  if (handle < 0 || index >= slots_.size() || !slots_[index].live || slots_[index].generation != generationOf(handle)) {
    throw ArgumentError(
        "This tensor was disposed, or freed at the end of its torch.tidy; return it from the tidy function, or "
        "torch.keep it, to use it later.");
  }
  return slots_[index].tensor;
}

HandleTable::Slot* HandleTable::find(Handle handle) {
  const size_t index = slotOf(handle);
  if (handle < 0 || index >= slots_.size()) return nullptr;
  Slot& slot = slots_[index];
  return slot.live && slot.generation == generationOf(handle) ? &slot : nullptr;
}

bool HandleTable::release(Handle handle) {
  Slot* slot = find(handle);
  if (slot == nullptr) return false;
  slot->live = false;
  slot->generation = (slot->generation + 1) % kGenerations;
  free_.push_back(static_cast<uint32_t>(slotOf(handle)));
  slot->tensor = at::Tensor();
  return true;
}

void HandleTable::closeScope(const std::vector<Handle>& kept) {
  if (marks_.empty()) throw ArgumentError("There is no open scope to close.");
  for (const Handle handle : kept) {
    if (Slot* slot = find(handle)) slot->kept = true;
  }
  const size_t mark = marks_.back();
  marks_.pop_back();
  // Frees in reverse order of creation, which is fastest for the allocator.
  for (size_t i = created_.size(); i-- > mark;) {
    const Slot* slot = find(created_[i]);
    if (slot != nullptr && !slot->kept) release(created_[i]);
  }
  const auto outlives = [&](Handle handle) { return !marks_.empty() && find(handle) != nullptr; };
  created_.erase(std::stable_partition(created_.begin() + mark, created_.end(), outlives), created_.end());
  for (const Handle handle : kept) {
    if (Slot* slot = find(handle)) slot->kept = false;
  }
}

void HandleTable::keep(Handle handle) {
  for (size_t i = created_.size(); i-- > 0;) {
    if (created_[i] == handle) {
      created_[i] = -1;
      return;
    }
  }
}

size_t HandleTable::bytes() const {
  std::unordered_set<const void*> seen;
  size_t total = 0;
  for (const Slot& slot : slots_) {
    if (!slot.live || !slot.tensor.defined() || !slot.tensor.has_storage()) continue;
    const auto& storage = slot.tensor.storage();
    if (seen.insert(storage.unsafeGetStorageImpl()).second) total += storage.nbytes();
  }
  return total;
}

}  // namespace cleanclip
