// Random draws whose loops end only for valid parameters.
#include <ATen/ops/isnan.h>

#include <cmath>

#include "all.h"
#include "arguments.h"

namespace cleanclip::guards {

// The loop ends when a comparison holds, which it never does with NaN.
void binomial(const Schema& schema, const Stack& stack) {
  const auto count = readable(schema, stack, "count");
  if (count.defined() && count.layout() == at::kStrided && count.is_floating_point() &&
      count.isnan().any().item<bool>()) {
    refuse(schema, "counts that are numbers, but there is NaN among them.");
  }
}

// Draws are int64, which a larger rate would overflow.
void poisson(const Schema& schema, const Stack& stack) {
  const auto rate = readable(schema, stack, "self");
  if (rate.defined() && rate.layout() == at::kStrided && rate.is_floating_point() && rate.numel() > 0 &&
      rate.amax().item<double>() > 0x1p62) {
    refuse(schema, "rates of at most 2^62.");
  }
}

// `from` + 1 overflows for the largest integer.
void random(const Schema& schema, const Stack& stack) {
  const auto from = argumentIfAny(schema, stack, "from");
  if (from.isInt() && from.toInt() == INT64_MAX) refuse(schema, "a smaller `from`.");
}

}  // namespace cleanclip::guards
