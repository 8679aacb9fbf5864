#include "heartbeat.h"

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace cleanclip {

namespace {

using namespace std::chrono_literals;

constexpr auto kBeat = 1000ms;
constexpr auto kPatience = 3s;      // for a pulse, once something has failed
constexpr auto kStoreSilence = 2s;  // after which nothing can be learnt from the store
constexpr auto kPublishing = 1s;    // a cause
constexpr auto kLearning = 2s;      // of a cause, by the others
constexpr auto kAborting = 1s;      // the group, before the process may end
constexpr int kReadings = 6;        // of the others' pulses, in the silence that means failure

const char* const kCause = "cause";  // a key, as `pulse/3` is
const char* const kHostSilent = "rank 0, which hosts the store, has ended, was stopped or is cut off";

std::string pulseKey(size_t rank) { return "pulse/" + std::to_string(rank); }

std::vector<uint8_t> bytesOf(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace

std::shared_ptr<Heartbeat> Heartbeat::start(const c10::intrusive_ptr<c10d::Store>& store, const Settings& settings) {
  const std::shared_ptr<Heartbeat> heartbeat(new Heartbeat(settings));
  auto own = Store(c10::make_intrusive<c10d::PrefixStore>("cleanclip", store->clone()));
  heartbeat->beatOnce(*own);  // so that every rank that meets this one has a pulse of it
  std::thread([heartbeat, own = std::move(own)]() mutable { heartbeat->beat(own); }).detach();
  std::thread([heartbeat] { heartbeat->watch(); }).detach();
  return {heartbeat.get(), [heartbeat](Heartbeat*) { heartbeat->stop(200ms); }};
}

Heartbeat::Heartbeat(const Settings& settings) : settings_(settings), pulses_(settings.size), heardAt_(settings.size) {}

// Runs on the thread that talks to the store. It may hang for ever when the store's host does, so nobody waits for it
// without a limit.
void Heartbeat::beat(Store& store) {
  bool lost = false;
  try {
    Lock lock(mutex_);
    for (bool last = false; !last;) {
      changed_.wait_for(lock, inquiries_ > 0 ? kBeat / 2 : kBeat, [this] { return stopping_ || hurried_; });
      hurried_ = false;
      last = stopping_;
      if (last && !own_.left) break;  // else the others are told that this rank leaves
      lock.unlock();
      beatOnce(*store);
      lock.lock();
    }
  } catch (const std::exception&) {
    lost = true;
  }
  store.reset();
  const Lock lock(mutex_);
  lost_ = lost;
  ended_ = true;
  changed_.notify_all();
}

void Heartbeat::beatOnce(c10d::Store& store) {
  Lock lock(mutex_);
  own_.beats++;
  own_.waits = operations_ > 0;
  own_.knows = !cause_.empty();
  const Pulse own = own_;
  const bool reads = readsNow(), seeks = cause_.empty();
  const std::string proposal = published_ ? "" : proposal_;
  lock.unlock();

  store.set(pulseKey(settings_.rank), bytesOf(pulseText(own)));
  std::string cause;
  if (!proposal.empty()) {
    cause = store.compareSet(kCause, "", proposal);
  } else if (store.check({kCause}) && seeks) {  // checked in any case, because a set alone gets no answer
    cause = store.get_to_str(kCause);
  }

  lock.lock();
  answeredAt_ = Clock::now();
  shown_ = own.knows;
  published_ |= !proposal.empty();
  if (cause_.empty()) cause_ = cause;
  changed_.notify_all();
  lock.unlock();
  if (reads) readAll(store);
}

void Heartbeat::readAll(c10d::Store& store) {
  std::vector<std::string> keys;
  for (size_t rank = 0; rank < pulses_.size(); rank++) keys.push_back(pulseKey(rank));
  const bool allBeat = store.check(keys);
  std::vector<size_t> ranks;
  for (size_t rank = 0; rank < keys.size(); rank++) {
    if (allBeat || store.check({keys[rank]})) ranks.push_back(rank);
  }
  keys.clear();
  for (const size_t rank : ranks) keys.push_back(pulseKey(rank));
  const auto values = store.multiGet(keys);

  const Lock lock(mutex_);
  readAt_ = answeredAt_ = Clock::now();
  for (size_t i = 0; i < ranks.size(); i++) {
    const auto pulse = pulseOf({values[i].begin(), values[i].end()});
    auto& known = pulses_[ranks[i]];
    if (pulse.beats != known.beats) heardAt_[ranks[i]] = readAt_;
    known = pulse;
  }
  readings_++;
  changed_.notify_all();
}

// Runs on the thread that notices a rank that was silent for too long while this one waits. It aborts the group once
// there is a cause.
void Heartbeat::watch() {
  Lock lock(mutex_);
  const auto over = [this] { return stopping_ || (!cause_.empty() && abort_); };
  while (!changed_.wait_for(lock, kBeat, over)) {
    forgetPause();
    watchedAt_ = Clock::now();
    const auto cause = waitsFor(settings_.silence) && cause_.empty() ? silenceCause() : "";
    if (!cause.empty()) settle(lock, cause);
  }
  if (stopping_) return;
  lock.unlock();
  try {
    abort_();
  } catch (const std::exception&) {  // the operations then end at their time limit
  }
  lock.lock();
  aborted_ = true;
  changed_.notify_all();
}

// When this process was stopped (Ctrl-Z) or got no time to run, the silence of the others meanwhile says nothing about
// them.
void Heartbeat::forgetPause() {
  const auto now = Clock::now();
  if (now - watchedAt_ <= 2 * kBeat) return;
  answeredAt_ = now;
  std::fill(heardAt_.begin(), heardAt_.end(), now);
}

std::string Heartbeat::findCause(const FailedOperation& operation) {
  Lock lock(mutex_);
  forgetPause();
  inquiries_++;
  hurry();
  const auto deadline = Clock::now() + kPatience;
  const auto over = [this] { return stopping_ || !cause_.empty() || storeIsSilentFor(kStoreSilence); };
  changed_.wait_until(lock, deadline, [&, next = readings_ + 1] { return over() || readings_ >= next; });
  const auto before = pulses_;
  changed_.wait_until(lock, deadline, [&] { return over() || allBeatSince(before); });
  const auto found = [&] { return causeOf(operation, before, pulses_, settings_.rank, kPatience.count()); };
  // A rank whose time limit is over closes its connections, so others fail too. It knows which rank did not come, and
  // is about to say so.
  if (operation.limit.empty() && !over() && found().empty()) changed_.wait_until(lock, deadline, over);

  std::string ownFailure;
  if (cause_.empty() && storeIsSilentFor(kStoreSilence)) {
    settle(lock, settings_.firstHosts ? kHostSilent
                                      : "the store does not answer, so that it cannot be said which rank is the cause");
  } else if (cause_.empty() && !stopping_) {
    auto cause = found();
    if (cause.empty())
      ownFailure = cause = ranksText({settings_.rank}) + " failed in " + operation.name + ": " + operation.detail;
    settle(lock, cause);
  }
  const bool knowsSilent = Clock::now() >= deadline;
  letOthersLearn(lock, knowsSilent ? before : std::vector<Pulse>(before.size()));
  changed_.wait_for(lock, kAborting, [this] { return aborted_ || !abort_ || stopping_; });
  inquiries_--;
  return cause_ == ownFailure ? "" : cause_;
}

void Heartbeat::announceFailure(const std::string& cause) {
  Lock lock(mutex_);
  inquiries_++;
  settle(lock, cause);
  letOthersLearn(lock, std::vector<Pulse>(pulses_.size()));
  inquiries_--;
}

// Writes a cause into the store unless another one is there. While the store does not answer, the cause holds for this
// rank alone; it is written when an answer comes.
void Heartbeat::settle(Lock& lock, const std::string& cause) {
  if (proposal_.empty()) proposal_ = cause;
  hurry();
  changed_.wait_for(lock, kPublishing, [this] { return ended_ || !cause_.empty(); });
  if (cause_.empty()) cause_ = cause;
  changed_.notify_all();
}

// Shows that this rank knows the cause. If this process hosts the store, the store ends with it. So it waits until
// every rank that has beaten since `before` knows the cause too.
void Heartbeat::letOthersLearn(Lock& lock, const std::vector<Pulse>& before) {
  hurry();
  changed_.wait_for(lock, kLearning, [&, next = readings_ + 1] {
    if (ended_ || storeIsSilentFor(kStoreSilence)) return true;
    if (!settings_.firstHosts || settings_.rank != 0) return shown_;
    if (readings_ < next) return false;
    for (size_t rank = 1; rank < pulses_.size(); rank++) {
      if (pulses_[rank].beats != before[rank].beats && !pulses_[rank].knows && !pulses_[rank].left) return false;
    }
    return true;
  });
}

void Heartbeat::whenFailed(std::function<void()> abort) {
  const Lock lock(mutex_);
  abort_ = std::move(abort);
  changed_.notify_all();
}

int64_t Heartbeat::begin(bool collective) {
  const Lock lock(mutex_);
  if (operations_++ == 0) progressAt_ = Clock::now();
  return collective ? ++own_.collectives : 0;
}

void Heartbeat::end() {
  const Lock lock(mutex_);
  operations_--;
  progressAt_ = Clock::now();
}

void Heartbeat::leave() {
  {
    const Lock lock(mutex_);
    own_.left = true;
  }
  stop(kPublishing);
}

void Heartbeat::stop(std::chrono::milliseconds patience) {
  Lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, patience, [this] { return ended_; });
}

bool Heartbeat::readsNow() const {
  const auto interval = settings_.silence / kReadings;
  return inquiries_ > 0 || (waitsFor(interval) && Clock::now() - readAt_ >= interval);
}

bool Heartbeat::waitsFor(std::chrono::milliseconds time) const {
  return operations_ > 0 && Clock::now() - progressAt_ >= time;
}

bool Heartbeat::storeIsSilentFor(std::chrono::milliseconds time) const {
  return lost_ || Clock::now() - answeredAt_ >= time;
}

bool Heartbeat::allBeatSince(const std::vector<Pulse>& before) const {
  for (size_t rank = 0; rank < pulses_.size(); rank++) {
    if (pulses_[rank].beats > 0 && pulses_[rank].beats == before[rank].beats && !pulses_[rank].left) return false;
  }
  return true;
}

// Names the ranks that were silent for longer than the limit; empty when there are none.
std::string Heartbeat::silenceCause() const {
  if (settings_.firstHosts && storeIsSilentFor(settings_.silence)) return kHostSilent;
  if (storeIsSilentFor(kStoreSilence) || readAt_ < progressAt_) return "";  // nothing new is known about the others
  std::vector<int> silent;
  for (int rank = 0; rank < settings_.size; rank++) {
    const auto& pulse = pulses_[rank];
    if (pulse.beats > 0 && !pulse.left && Clock::now() - heardAt_[rank] >= settings_.silence) silent.push_back(rank);
  }
  return silent.empty()
             ? ""
             : silenceText(silent, std::chrono::duration_cast<std::chrono::seconds>(settings_.silence).count());
}

// Makes the store thread beat at once.
void Heartbeat::hurry() {
  hurried_ = true;
  changed_.notify_all();
}

}  // namespace cleanclip
