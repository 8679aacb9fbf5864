// The heartbeat of a process group: it tells which rank is the cause when an operation fails.
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

// A thread of each rank writes a pulse into the group's store every second. It also looks there for the cause of the
// group's failure, a sentence that the first rank to find it writes for all. Once there is one, the group is aborted.
class Heartbeat {
 public:
  struct Settings {
    int rank;
    int size;
    bool firstHosts;                    // rank 0 hosts the store
    std::chrono::milliseconds silence;  // of a rank that this one waits for; after it the group has failed
  };

  // Opens another connection to the store and beats until the last owner of the pointer releases it.
  static std::shared_ptr<Heartbeat> start(const c10::intrusive_ptr<c10d::Store>& store, const Settings& settings);

  // Sets the function that aborts the group. It is set once and called at most once, from a thread of its own.
  void whenFailed(std::function<void()> abort);

  // Begins an operation with other ranks. Returns the number of a collective among this rank's, from 1; else 0.
  int64_t begin(bool collective);
  void end();

  // Blocks until the cause is known, for about 6 s at most. Returns an empty string when this rank failed first and no
  // other rank is the cause.
  std::string findCause(const FailedOperation& operation);

  // Writes a cause into the store unless there is one. Blocks for about 3 s at most.
  void announceFailure(const std::string& cause);

  // Tells the others that this rank leaves the group, and stops. Blocks for a second at most.
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
  std::mutex mutex_;  // guards everything below
  std::condition_variable changed_;
  Pulse own_;
  std::string proposal_;    // a cause to write
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
