#include <ATen/core/grad_mode.h>
#include <ATen/ops/isfinite.h>

#include "all.h"
#include "arguments.h"

namespace cleanclip::guards {

// With padding that reflects or clips coordinates, the bilinear gradient turns NaN coordinates into addresses.
void gridSampler(const Schema& schema, const Stack& stack) {
  constexpr int64_t bilinear = 0;
  constexpr int64_t zeros = 0;
  const auto& input = stack.at(0).toTensor();
  const auto& grid = argument(schema, stack, "grid").toTensor();
  const bool recorded = at::GradMode::is_enabled() && (input.requires_grad() || grid.requires_grad());
  if (!recorded || grid.dim() != 4 || argument(schema, stack, "padding_mode").toInt() == zeros ||
      argument(schema, stack, "interpolation_mode").toInt() != bilinear) {
    return;
  }
  const auto values = readable(schema, stack, "grid");
  if (values.defined() && !values.isfinite().all().item<bool>()) {
    refuse(schema, "a grid of finite numbers where its gradient is recorded; clamp it or call noGrad().");
  }
}

}  // namespace cleanclip::guards
