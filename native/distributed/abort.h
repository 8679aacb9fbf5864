// The end of all that waits in a group.
#pragma once

#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

namespace cleanclip {

// Makes everything that is under way in the group, and all that begins later, fail on this rank.
void abortGroup(c10d::ProcessGroup& group);

}  // namespace cleanclip
