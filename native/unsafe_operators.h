// Refuses operators that no check can make safe: they may crash, hang, or reach outside tensors.
#pragma once

#include <string>

namespace cleanclip {

// Returns why an operator ('aten::lstm') is refused, as the end of a sentence "… is refused: …". The string is empty
// when the operator may be called.
std::string refusalOf(const std::string& name);

}  // namespace cleanclip
