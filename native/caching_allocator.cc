#include "caching_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <map>
#include <mutex>
#include <unordered_map>

#include "exports.h"
#include "guard_pages.h"

namespace cleanclip {

namespace {

constexpr size_t kLeast = 64 << 10;  // less, malloc reuses well
constexpr size_t kHugePage = 2 << 20;
constexpr size_t kAlignment = 64;
constexpr size_t kSlack = 128 << 20;

// Sixteen sizes between a power of two and the next, so that captions of other lengths fit the same blocks.
size_t roundUp(size_t bytes) {
  size_t step = kLeast / 16;
  while (step * 32 <= bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

// Straight from the system, to which malloc gives little back; at a multiple of the size of a huge page, whose first
// touch costs less.
void* mapBlock(size_t size) {
  void* mapped = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* const start = static_cast<std::byte*>(mapped);
  const size_t before = -reinterpret_cast<uintptr_t>(start) % kHugePage;
  if (before > 0) munmap(start, before);
  munmap(start + before + size, kHugePage - before);
#ifdef MADV_HUGEPAGE
  madvise(start + before, size, MADV_HUGEPAGE);
#endif
  return start + before;
}

// Null when the system has none left.
void* allocateBlock(size_t size) { return size < kHugePage ? std::aligned_alloc(kAlignment, size) : mapBlock(size); }

void freeBlock(void* block, size_t size) {
  if (size < kHugePage) {
    std::free(block);
  } else {
    munmap(block, size);
  }
}

// Blocks in use and idle ones together never take more than the blocks in use once did, and a little: enough that the
// gradient of the token embedding, idle in the forward pass when most is in use, is not given back at each step.
class CachingAllocator final : public c10::Allocator {
 public:
  explicit CachingAllocator(c10::Allocator* small) : small(small) {}

  c10::DataPtr allocate(size_t bytes) override {
    if (bytes < kLeast) return small->allocate(bytes);
    void* block = take(roundUp(bytes));
    TORCH_CHECK_WITH(OutOfMemoryError, block != nullptr, "not enough memory: you tried to allocate ", bytes, " bytes.");
    return {block, block, &giveBack, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &giveBack; }

  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

  void release() {
    const std::lock_guard lock(mutex);
    releaseUntil(0);
  }

  static CachingAllocator& instance() {
    static auto* allocator = new CachingAllocator(c10::GetCPUAllocator());  // outlives every tensor
    return *allocator;
  }

 private:
  // What oneDNN allocates without a DataPtr comes back here whatever its size.
  static void giveBack(void* block) {
    if (!instance().put(block)) instance().small->raw_deallocate(block);
  }

  // Null when there is none.
  void* take(size_t size) {
    const std::lock_guard lock(mutex);
    void* block = nullptr;
    const auto found = idle.lower_bound(size);
    if (found != idle.end() && found->first <= size + size / 4) {
      size = found->first;
      block = found->second;
      idle.erase(found);
      idleBytes -= size;
    } else {
      releaseUntil(std::max(peak, used + size) - used - size + kSlack);
      block = allocateBlock(size);
      if (block == nullptr) {
        releaseUntil(0);
        block = allocateBlock(size);
      }
      if (block == nullptr) return nullptr;
    }
    sizes.emplace(block, size);
    used += size;
    peak = std::max(peak, used);
    return block;
  }

  // False for a block that is not one of these.
  bool put(void* block) {
    const std::lock_guard lock(mutex);
    const auto entry = sizes.find(block);
    if (entry == sizes.end()) return false;
    idle.emplace(entry->second, block);
    idleBytes += entry->second;
    used -= entry->second;
    sizes.erase(entry);
    return true;
  }

  // Frees the largest idle blocks until the rest take no more than `bytes`.
  void releaseUntil(size_t bytes) {
    while (idleBytes > bytes) {
      const auto largest = std::prev(idle.end());
      idleBytes -= largest->first;
      freeBlock(largest->second, largest->first);
      idle.erase(largest);
    }
  }

  c10::Allocator* const small;
  std::mutex mutex;
  std::multimap<size_t, void*> idle;        // by size
  std::unordered_map<void*, size_t> sizes;  // of the blocks in use
  size_t idleBytes = 0;
  size_t used = 0;
  size_t peak = 0;  // the most that was ever used at once
};

}  // namespace

void installCachingAllocator() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (!installGuardPages()) c10::SetAllocator(c10::DeviceType::CPU, &CachingAllocator::instance(), 1);
  });
}

void exportCachingAllocator(Napi::Env, Napi::Object exports) {
  exportFunction(exports, "emptyCache", [](const Napi::CallbackInfo& info) {
    CachingAllocator::instance().release();
    return info.Env().Undefined();
  });
}

}  // namespace cleanclip
