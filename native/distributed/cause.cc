#include "cause.h"

#include <algorithm>
#include <functional>
#include <sstream>

namespace cleanclip {

namespace {

constexpr size_t kNamed = 8;  // ranks, before the rest are only counted

using IsOne = std::function<bool(size_t)>;

std::vector<int> ranksThat(size_t size, int ownRank, const IsOne& isOne) {
  std::vector<int> ranks;
  for (size_t rank = 0; rank < size; rank++) {
    if (static_cast<int>(rank) != ownRank && isOne(rank)) ranks.push_back(static_cast<int>(rank));
  }
  return ranks;
}

}  // namespace

std::string pulseText(const Pulse& pulse) {
  std::ostringstream text;
  text << pulse.beats << ' ' << pulse.collectives << ' ' << pulse.waits << ' ' << pulse.knows << ' ' << pulse.left;
  return text.str();
}

Pulse pulseOf(const std::string& text) {
  Pulse pulse;
  std::istringstream(text) >> pulse.beats >> pulse.collectives >> pulse.waits >> pulse.knows >> pulse.left;
  return pulse;
}

std::string ranksText(const std::vector<int>& ranks) {
  if (ranks.size() == 1) return "rank " + std::to_string(ranks[0]);
  const size_t named = std::min(ranks.size(), kNamed);
  std::string text = "ranks " + std::to_string(ranks[0]);
  for (size_t i = 1; i < named; i++) {
    text += (i + 1 == ranks.size() ? " and " : ", ") + std::to_string(ranks[i]);
  }
  return named == ranks.size() ? text : text + " and " + std::to_string(ranks.size() - named) + " more";
}

std::string silenceText(const std::vector<int>& ranks, int64_t seconds) {
  const std::string what =
      ranks.size() == 1 ? " has ended, was stopped or is cut off" : " have ended, were stopped or are cut off";
  return ranksText(ranks) + what + " (no sign of life for " + std::to_string(seconds) + " s)";
}

std::string causeOf(const FailedOperation& operation, const std::vector<Pulse>& before, const std::vector<Pulse>& after,
                    int ownRank, int64_t seconds) {
  const auto those = [&](const IsOne& isOne) { return ranksThat(after.size(), ownRank, isOne); };
  const auto silent =
      those([&](size_t r) { return after[r].beats > 0 && after[r].beats == before[r].beats && !after[r].left; });
  if (!silent.empty()) return silenceText(silent, seconds);

  const auto left = those([&](size_t r) { return after[r].left; });
  if (!left.empty()) return ranksText(left) + (left.size() == 1 ? " has" : " have") + " left the group";

  const auto behind =
      those([&](size_t r) { return after[r].beats > 0 && !after[r].waits && after[r].collectives < operation.number; });
  if (!behind.empty() && !operation.limit.empty()) {
    const std::string why = behind.size() == 1 ? "it lives, but is slower, or hangs in code of its own"
                                               : "they live, but are slower, or hang in code of their own";
    return ranksText(behind) + " did not come to " + operation.name + " within " + operation.limit + ": " + why;
  }

  const auto unheard = those([&](size_t r) { return after[r].beats == 0; });
  if (unheard.empty()) return "";
  const std::string why =
      unheard.size() == 1 ? "it did not come, or runs another library" : "they did not come, or run another library";
  return "nothing was heard of " + ranksText(unheard) + " (" + why + ")";
}

}  // namespace cleanclip
