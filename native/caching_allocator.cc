#include "caching_allocator.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "exports.h"
#include "guard_pages.h"

namespace cleanclip {

namespace {

// Sizes in bytes.
constexpr size_t kLeast = 64 << 10;  // malloc reuses smaller blocks well, but the smallest
constexpr size_t kHugePage = 2 << 20;
constexpr size_t kAlignment = 64;
constexpr size_t kSlack = 128 << 20;

// Rounds up to one of sixteen sizes between two powers of two, so that captions of other lengths fit the same blocks.
size_t roundUp(size_t bytes) {
  size_t step = kLeast / 16;
  while (step * 32 <= bytes) step *= 2;
  return (bytes + step - 1) / step * step;
}

// Takes a block straight from the system, because malloc gives little back to it. The block starts at a multiple of the
// size of a huge page: the first touch of a huge page costs less.
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

// Returns null when the system has no memory left.
void* allocateBlock(size_t size) { return size < kHugePage ? std::aligned_alloc(kAlignment, size) : mapBlock(size); }

void freeBlock(void* block, size_t size) {
  if (size < kHugePage) {
    std::free(block);
  } else {
    munmap(block, size);
  }
}

// The idle blocks of a thread that hold up to 1 KiB, by their size in units of kAlignment. Each such block is as large
// as its units. Among malloc's work for one element, the alignment costs most.
struct SmallBlocks {
  static constexpr size_t kUnits = 16, kKept = 32;

  void* take(size_t units) { return counts[units] == 0 ? nullptr : idle[units][--counts[units]]; }

  // Keeps the block; returns false when there are enough of its size.
  bool put(size_t units, void* block) {
    if (ended || counts[units] == kKept) return false;
    idle[units][counts[units]++] = block;
    return true;
  }

  std::array<std::array<void*, kKept>, kUnits + 1> idle;
  std::array<uint8_t, kUnits + 1> counts;
  bool ended;  // the thread frees its last tensors
};

thread_local constinit SmallBlocks small_blocks{};

// Frees a thread's small blocks when it ends.
struct SmallBlocksOwner {
  ~SmallBlocksOwner();
  void begin() {}  // the first use of a thread_local object makes it
};

thread_local SmallBlocksOwner small_blocks_owner;

// All blocks, in use and idle, take at most the peak of those in use plus kSlack. The slack holds the gradient of the
// token embedding. At the peak, in the forward pass, that block is idle; without slack it would be freed at each step.
class CachingAllocator final : public c10::Allocator {
 public:
  explicit CachingAllocator(c10::Allocator* small) : small(small) {}

  c10::DataPtr allocate(size_t bytes) override {
    if (bytes > 0 && bytes <= SmallBlocks::kUnits * kAlignment) return allocateSmall((bytes - 1) / kAlignment + 1);
    if (bytes < kLeast) return small->allocate(bytes);
    void* block = take(roundUp(bytes));
    TORCH_CHECK_WITH(OutOfMemoryError, block != nullptr, "not enough memory: you tried to allocate ", bytes, " bytes.");
    return {block, block, &giveBack, c10::Device(c10::DeviceType::CPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &giveBack; }

  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

  void freeSmall(void* block) const { small->raw_deallocate(block); }

  void release() {
    const std::lock_guard lock(mutex);
    releaseUntil(0);
  }

  static CachingAllocator& instance() {
    static auto* allocator = new CachingAllocator(c10::GetCPUAllocator());  // outlives every tensor
    return *allocator;
  }

 private:
  c10::DataPtr allocateSmall(size_t units) const {
    void* block = small_blocks.take(units);
    if (block == nullptr) block = small->raw_allocate(units * kAlignment);
    return {block, block, small_deleters[units], c10::Device(c10::DeviceType::CPU)};
  }

  template <size_t units>
  static void giveBackSmall(void* block) {
    small_blocks_owner.begin();
    if (!small_blocks.put(units, block)) instance().freeSmall(block);
  }

  template <size_t... units>
  static constexpr auto smallDeleters(std::index_sequence<units...>) {
    return std::array<c10::DeleterFnPtr, sizeof...(units)>{&giveBackSmall<units>...};
  }

  static const std::array<c10::DeleterFnPtr, SmallBlocks::kUnits + 1> small_deleters;

  // oneDNN allocates without a DataPtr, so that blocks of every size come back here.
  static void giveBack(void* block) {
    if (!instance().put(block)) instance().small->raw_deallocate(block);
  }

  // Returns an idle block or a new one; null when the system has no memory left.
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

  // Makes a block idle; returns false for a block that this allocator did not make.
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
  size_t peak = 0;  // the maximum of `used` so far
};

const std::array<c10::DeleterFnPtr, SmallBlocks::kUnits + 1> CachingAllocator::small_deleters =
    smallDeleters(std::make_index_sequence<SmallBlocks::kUnits + 1>());

SmallBlocksOwner::~SmallBlocksOwner() {
  small_blocks.ended = true;
  for (size_t units = 1; units <= SmallBlocks::kUnits; units++) {
    while (void* block = small_blocks.take(units)) CachingAllocator::instance().freeSmall(block);
  }
}

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
