// Finds the cause of a group's failure from the heartbeats of its ranks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cleanclip {

// What a rank writes into the store about itself.
struct Pulse {
  int64_t beats = 0;        // 0: nothing was heard of it
  int64_t collectives = 0;  // that it has begun
  bool waits = false;       // for others
  bool knows = false;       // the cause
  bool left = false;        // the group, in good order
};

std::string pulseText(const Pulse& pulse);
Pulse pulseOf(const std::string& text);

// An operation that failed on this rank.
struct FailedOperation {
  std::string name;
  int64_t number;     // among the collectives that this rank has begun, from 1; 0 when it is none
  std::string limit;  // `5 s`, when it did not finish within that; else empty
  std::string detail;
};

// Names ranks in words: `ranks 1, 2 and 5`.
std::string ranksText(const std::vector<int>& ranks);

// `rank 2 has ended, was stopped or is cut off (no sign of life for 3 s)`
std::string silenceText(const std::vector<int>& ranks, int64_t seconds);

// Returns why an operation failed. `before` holds the pulses of all ranks shortly after the failure; `after` holds them
// once all living ranks have beaten again, at most `seconds` later. Empty when no other rank is the cause.
std::string causeOf(const FailedOperation& operation, const std::vector<Pulse>& before, const std::vector<Pulse>& after,
                    int ownRank, int64_t seconds);

}  // namespace cleanclip
