// Operators that are unsafe by nature: they crash, hang or reach outside tensors whatever checks come before.
#pragma once

#include <string>

namespace cleanclip {

// Why an operator is refused, as the end of the sentence "… is refused: "; empty when it may be called.
std::string refusalOf(const std::string& name);

}  // namespace cleanclip
