// JavaScript addresses the tensors that it holds by numbers (handles): slot index + 2^24 * generation.
// The generation number catches the use of a handle after its slot was freed. Each environment has one table.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace cleanclip {

using Handle = int64_t;

class HandleTable {
 public:
  // Stores a tensor. Inside a scope the handle is freed with the scope.
  Handle add(at::Tensor tensor);

  // Returns the tensor of a handle; throws ArgumentError when it was disposed or never existed.
  const at::Tensor& get(Handle handle) const;

  // Frees a handle; returns false when it was free already.
  bool release(Handle handle);

  void openScope() { marks_.push_back(created_.size()); }

  // Frees every handle made since the matching openScope that is not in `kept`.
  // The kept ones move to the enclosing scope.
  void closeScope(const std::vector<Handle>& kept);

  // Takes a handle out of every scope: it then lives until it is released.
  void keep(Handle handle);

  bool inScope() const { return !marks_.empty(); }
  size_t size() const { return slots_.size() - free_.size(); }

  // Returns the bytes of the distinct storages that live handles refer to.
  size_t bytes() const;

 private:
  struct Slot {
    at::Tensor tensor;
    uint32_t generation = 0;
    bool live = false;
    bool kept = false;
  };

  Slot* find(Handle handle);

  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::vector<Handle> created_;
  std::vector<size_t> marks_;
};

}  // namespace cleanclip
