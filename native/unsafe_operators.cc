#include "unsafe_operators.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace cleanclip {

namespace {

struct Refusal {
  std::string_view name;
  std::string_view reason;
};

constexpr std::array kRefused{
    Refusal{"aten::from_blob", "it reads memory at a bare address"},
};

}  // namespace

std::string refusalOf(const std::string& name) {
  const auto found = std::find_if(kRefused.begin(), kRefused.end(), [&](const Refusal& r) { return r.name == name; });
  return found == kRefused.end() ? "" : std::string(found->reason);
}

}  // namespace cleanclip
