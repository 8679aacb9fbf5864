// Aborts a process group.
#pragma once

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

namespace cleanclip {

// Makes every operation of the group fail on this rank: those under way, and those that begin later.
void abortGroup(c10d::ProcessGroup& group);

}  // namespace cleanclip
