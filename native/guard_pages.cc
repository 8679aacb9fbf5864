#include "guard_pages.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <execinfo.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "exports.h"
#include "tensor.h"

namespace cleanclip {

namespace {

// Bytes of addresses, not of memory. Each address is used once, so that freed memory stays without access.
constexpr size_t kArena = size_t{32} << 30;
constexpr size_t kMost = size_t{256} << 20;  // bytes of one tensor, and of all tensors together
constexpr int kFill = 0x7f;                  // makes integers that are far out of range, and large floats

struct Block {
  char* pages;
  size_t size;
  std::atomic<bool> freed;
};

class GuardPages final : public c10::Allocator {
 public:
  GuardPages(char* arena, bool before)
      : arena(arena), before(before), page(static_cast<size_t>(sysconf(_SC_PAGESIZE))) {
    // One entry per page of the arena; the system gives memory only to entries that are touched.
    blocks = static_cast<Block*>(mmap(nullptr, kArena / page * sizeof(Block), PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  }

  c10::DataPtr allocate(size_t bytes) override {
    const c10::Device cpu(c10::DeviceType::CPU);
    if (bytes == 0) return {nullptr, nullptr, &c10::detail::deleteNothing, cpu};
    const bool fits = bytes <= kMost && inUse + bytes <= kMost;
    const size_t length = fits ? pagesOf(bytes) : 0;
    const size_t at = fits ? next.fetch_add(length + page) : kArena;
    TORCH_CHECK_WITH(OutOfMemoryError,
                     at + length + page <= kArena && mprotect(arena + at, length, PROT_READ | PROT_WRITE) == 0,
                     "not enough memory: you tried to allocate ", bytes, " bytes.");
    inUse += bytes;
    Block& block = blocks[at / page];
    block.pages = arena + at;
    block.size = bytes;
    std::memset(block.pages, kFill, length);
    return {start(block), start(block), &giveBack, cpu};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &giveBack; }

  void copy_data(void* to, const void* from, size_t bytes) const override { default_copy_data(to, from, bytes); }

  // Writes to stderr where an address lies beside a tensor. It calls only what a signal handler may call.
  void explain(const char* address) const {
    char text[200];
    int length = std::snprintf(text, sizeof text, "GUARD a wild address %p\n", static_cast<const void*>(address));
    if (address >= arena && address < arena + kArena) {
      size_t i = static_cast<size_t>(address - arena) / page;
      if (before && blocks[i].size == 0 && blocks[i + 1].size > 0) i++;
      while (i > 0 && blocks[i].size == 0) i--;
      const Block& block = blocks[i];
      length = std::snprintf(text, sizeof text, "GUARD at %td bytes from the start of %s tensor of %zu bytes\n",
                             address - start(block), block.freed ? "a freed" : "a", block.size);
    }
    if (write(STDERR_FILENO, text, static_cast<size_t>(length)) < 0) return;
  }

  static GuardPages* instance;

 private:
  size_t pagesOf(size_t bytes) const { return (bytes + page - 1) / page * page; }

  // Returns the first byte of the tensor, which touches the page without access on one side. At the end it does so
  // exactly, without padding, because a tensor's size is a multiple of its alignment.
  char* start(const Block& block) const {
    return before ? block.pages : block.pages + pagesOf(block.size) - block.size;
  }

  static void giveBack(void* start) {
    if (start == nullptr) return;
    Block& block = instance->blocks[static_cast<size_t>(static_cast<char*>(start) - instance->arena) / instance->page];
    instance->checkSlack(block);
    block.freed = true;
    instance->inUse -= block.size;
    mmap(block.pages, instance->pagesOf(block.size), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
         -1, 0);
  }

  // Finds a write on the other side of the tensor: it has changed the bytes that fill the rest of the page.
  void checkSlack(const Block& block) const {
    const char* const from = before ? block.pages + block.size : block.pages;
    const size_t count = pagesOf(block.size) - block.size;
    for (const char* at = from; at < from + count; at++) {
      if (*at == kFill) continue;
      explain(at);
      std::abort();
    }
  }

  char* const arena;
  const bool before;
  const size_t page;
  Block* blocks;
  std::atomic<size_t> next{0};
  std::atomic<size_t> inUse{0};
};

GuardPages* GuardPages::instance = nullptr;

// Writes the address and the functions on the stack to stderr, then lets the signal end the process.
void onFault(int number, siginfo_t* info, void*) {
  signal(number, SIG_DFL);
  if (number == SIGSEGV || number == SIGBUS) GuardPages::instance->explain(static_cast<const char*>(info->si_addr));
  void* frames[16];
  backtrace_symbols_fd(frames, backtrace(frames, 16), STDERR_FILENO);
  raise(number);
}

}  // namespace

bool installGuardPages() {
  const char* const wanted = std::getenv("CLEANCLIP_GUARD_PAGES");
  if (wanted == nullptr) return false;
  const std::string_view side = wanted;
  if (side != "after" && side != "before") return false;
  if (GuardPages::instance != nullptr) return true;
  void* const arena = mmap(nullptr, kArena, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (arena == MAP_FAILED) return false;
  GuardPages::instance = new GuardPages(static_cast<char*>(arena), side == "before");  // outlives every tensor
  c10::SetAllocator(c10::DeviceType::CPU, GuardPages::instance, 2);
  struct sigaction action{};
  action.sa_sigaction = onFault;
  action.sa_flags = SA_SIGINFO;
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGABRT, SIGILL}) sigaction(number, &action, nullptr);
  return true;
}

void exportGuardPages(Napi::Env, Napi::Object exports) {
  if (GuardPages::instance == nullptr) return;
  exportFunction(exports, "readAt", [](const Napi::CallbackInfo& info) {
    const auto* const first = static_cast<const volatile char*>(tensorArg(info.Env(), info[0]).const_data_ptr());
    return Napi::Number::New(info.Env(), first[info[1].ToNumber().Int64Value()]);
  });
}

}  // namespace cleanclip
