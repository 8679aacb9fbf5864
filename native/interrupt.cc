#include "interrupt.h"

#include <signal.h>
#include <unistd.h>

#include "exports.h"

namespace cleanclip {

namespace {

// The handlers below call only what POSIX allows in a signal handler.
constexpr unsigned graceSeconds = 1;
volatile sig_atomic_t interrupts = 0;
struct sigaction nodes;

void endNow(int) {
  signal(SIGINT, SIG_DFL);
  kill(getpid(), SIGINT);
  _exit(128 + SIGINT);  // the first process of a container ignores its own SIGINT
}

void onInterrupt(int number) {
  interrupts = interrupts + 1;
  if (interrupts == 2) alarm(graceSeconds);
  nodes.sa_handler(number);
}

}  // namespace

void exportInterrupt(Napi::Env, Napi::Object exports) {
  // endOnSecondInterrupt(): from now on, a second SIGINT ends the process after one second, even if its threads are
  // busy. Node must already listen to SIGINT; otherwise nothing changes.
  exportFunction(exports, "endOnSecondInterrupt", [](const Napi::CallbackInfo& info) {
    struct sigaction current{};
    sigaction(SIGINT, nullptr, &current);
    const bool nodeListens =
        (current.sa_flags & SA_SIGINFO) == 0 && current.sa_handler != SIG_DFL && current.sa_handler != SIG_IGN;
    if (nodeListens && current.sa_handler != onInterrupt) {
      nodes = current;
      interrupts = 0;
      struct sigaction ending{};
      ending.sa_handler = endNow;
      sigaction(SIGALRM, &ending, nullptr);
      current.sa_handler = onInterrupt;
      sigaction(SIGINT, &current, nullptr);
    }
    return info.Env().Undefined();
  });
}

}  // namespace cleanclip
