// Signs of life: what tells, when an operation of a group fails, which of its ranks is the cause.
#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "cause.h"

namespace cleanclip {

// Each rank shows a pulse in the group's store every second, from a thread of its own, and looks there for the cause:
// the cause of the group's failure in words, which the first rank that finds it leaves for all. Once there is one,
// everything that waits in the group is broken off.
class Heartbeat {
 public:
  struct Settings {
    int rank;
    int size;
    bool firstHosts;                    // rank 0 hosts the store
    std::chrono::milliseconds silence;  // of a rank that this one waits for, after which the group has failed
  };

  // Connects to the store once more and beats, until the pointer's last owner lets go of it.
  static std::shared_ptr<Heartbeat> start(const c10::intrusive_ptr<c10d::Store>& store, const Settings& settings);

  // What breaks off the waiting; given once, and called at most once, from a thread of its own.
  void whenFailed(std::function<void()> abort);

  // This rank begins what it does with others. Returns the collective's number among its own, from 1; else 0.
  int64_t begin(bool collective);
  void end();

  // Blocks until the cause is there, some 6 s at most. Empty when this rank was the first to fail, and no other is to
  // blame.
  std::string findCause(const FailedOperation& operation);

  // Leaves a cause, unless there is one. Blocks some 3 s at most.
  void announceFailure(const std::string& cause);

  // Tells the others that this rank does nothing more with them, and stops. Blocks a second at most.
  void leave();

 private:
  using Clock = std::chrono::steady_clock;
  using Lock = std::unique_lock<std::mutex>;
  using Store = c10::intrusive_ptr<c10d::Store>;

  explicit Heartbeat(const Settings& settings);

  void beat(Store& store);
  void beatOnce(c10d::Store& store);
  void readAll(c10d::Store& store);
  void watch();
  void forgetPause();
  void settle(Lock& lock, const std::string& cause);
  void letOthersLearn(Lock& lock, const std::vector<Pulse>& before);
  void stop(std::chrono::milliseconds patience);

  bool readsNow() const;
  bool waitsFor(std::chrono::milliseconds time) const;
  bool storeIsSilentFor(std::chrono::milliseconds time) const;
  bool allBeatSince(const std::vector<Pulse>& before) const;
  std::string silenceCause() const;
  void hurry();

  const Settings settings_;
  std::mutex mutex_;  // of all below
  std::condition_variable changed_;
  Pulse own_;
  std::string proposal_;    // a cause to leave
  bool published_ = false;  // in the store
  std::string cause_;
  std::function<void()> abort_;
  std::vector<Pulse> pulses_;               // by rank, as last read
  std::vector<Clock::time_point> heardAt_;  // by rank: when its pulse was read first, or had changed
  Clock::time_point readAt_;
  Clock::time_point answeredAt_;                // by the store
  Clock::time_point watchedAt_ = Clock::now();  // by the thread that watches
  Clock::time_point progressAt_;                // when an operation last began alone, or ended
  int64_t readings_ = 0;
  int operations_ = 0;  // under way
  int inquiries_ = 0;   // under way
  bool hurried_ = false;
  bool shown_ = false;  // that this rank knows the cause
  bool aborted_ = false;
  bool stopping_ = false;
  bool ended_ = false;  // the thread that beats, by itself or because the store was lost
  bool lost_ = false;   // the store
};

}  // namespace cleanclip
