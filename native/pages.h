// The pages of new memory: how they are taken from the system.
#pragma once

#include <ATen/core/Tensor.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cleanclip {

inline constexpr size_t kHugePage = 2 << 20;  // bytes; the allocator asks for huge pages for larger blocks

// The pages that lie completely within a range of bytes.
struct Pages {
  Pages(const void* bytes, int64_t size) {
    static const int64_t page = sysconf(_SC_PAGESIZE);
    const auto start = reinterpret_cast<int64_t>(bytes);
    begin = (start + page - 1) / page * page;
    length = std::max<int64_t>((start + size) / page * page - begin, 0);
  }
  void advise(int advice) const {
    if (length > 0) madvise(reinterpret_cast<void*>(begin), length, advice);  // an older kernel may ignore the advice
  }
  // Whether the first page is in memory already.
  bool present() const {
    unsigned char first = 0;
    return length == 0 || (mincore(reinterpret_cast<void*>(begin), 1, &first) == 0 && (first & 1) != 0);
  }

  int64_t begin;
  int64_t length;
};

// Takes new memory for all pages of some bytes at once, which is faster than page by page at the first writes.
inline void populate(const void* bytes, int64_t size) {
#ifdef MADV_POPULATE_WRITE
  const Pages pages(bytes, size);
  if (!pages.present()) pages.advise(MADV_POPULATE_WRITE);
#endif
}

// Turns huge pages off while it lives. In a virtual machine, a huge page that was not used lately may cost more than
// small ones: the host has to find memory for it.
class SmallPages {
 public:
  explicit SmallPages(const std::vector<at::Tensor>& tensors) {
    for (const auto& tensor : tensors) {
      if (tensor.nbytes() >= kHugePage) blocks.emplace_back(tensor.data_ptr(), tensor.nbytes());
    }
#ifdef MADV_NOHUGEPAGE
    for (const auto& block : blocks) block.advise(MADV_NOHUGEPAGE);
#endif
  }
  ~SmallPages() {
#ifdef MADV_HUGEPAGE
    for (const auto& block : blocks) block.advise(MADV_HUGEPAGE);
#endif
  }
  SmallPages(const SmallPages&) = delete;
  SmallPages& operator=(const SmallPages&) = delete;

 private:
  std::vector<Pages> blocks;
};

}  // namespace cleanclip
