// Solvers that trust the pivots of a factorisation, and calls that LAPACK does not survive.
#include <ATen/core/grad_mode.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>

#include "all.h"
#include "arguments.h"

namespace cleanclip::guards {

// The pivots are row numbers that the operator trusts. The gradient needs the data that unpack_data = false leaves out.
void luUnpack(const Schema& schema, const Stack& stack) {
  const auto& lu = argument(schema, stack, "LU_data").toTensor();
  const auto& pivots = argument(schema, stack, "LU_pivots").toTensor();
  if (!argument(schema, stack, "unpack_data").toBool() && lu.requires_grad() && at::GradMode::is_enabled()) {
    refuse(schema, "unpack_data = true where its gradient is recorded; call noGrad().");
  }
  if (!argument(schema, stack, "unpack_pivots").toBool() || lu.dim() < 2 || pivots.is_meta()) return;
  auto expected = lu.sizes().slice(0, lu.dim() - 1).vec();
  expected.back() = std::min(lu.size(-2), lu.size(-1));
  if (pivots.sizes() != expected || pivots.layout() != at::kStrided || !inside(pivots, 1, lu.size(-2))) {
    refuse(schema, "pivots of the shape and in the range that lu_factor gives.");
  }
}

// A pivot of a block of two rows is negative; such pivots come in pairs.
void ldlSolve(const Schema& schema, const Stack& stack) {
  const auto ld = readable(schema, stack, "LD");
  const auto given = readable(schema, stack, "pivots");
  if (!ld.defined() || !given.defined() || ld.dim() < 2 || given.numel() == 0) return;
  const auto pivots = given.to(at::kLong).contiguous();
  const int64_t n = ld.size(-1);
  bool right = pivots.dim() > 0 && pivots.size(-1) == n;
  const auto* const values = pivots.const_data_ptr<int64_t>();
  for (int64_t i = 0; right && i < pivots.numel();) {
    const bool pair = values[i] < 0;
    const int64_t rows = pair ? 2 : 1;
    right = values[i] != 0 && std::abs(values[i]) <= n && i % n + rows <= n &&
            (!pair || (values[i + 1] < 0 && values[i + 1] >= -n));
    i += rows;
  }
  if (!right) refuse(schema, "pivots as ldl_factor gives them: 1 to n, and from -n to -1 in pairs.");
}

// LAPACK does not expect infinity and NaN; linalg_eig refuses them itself.
void eigenvalues(const Schema& schema, const Stack& stack) {
  const auto matrix = readable(schema, stack, "self");
  if (matrix.defined() && matrix.layout() == at::kStrided && !matrix.isfinite().all().item<bool>())
    refuse(schema, "a matrix without infinity and NaN.");
}

// LAPACK's gelss does not expect an empty b.
void leastSquares(const Schema& schema, const Stack& stack) {
  const auto driver = argument(schema, stack, "driver");
  if (driver.isString() && driver.toStringRef() == "gelss" && argument(schema, stack, "b").toTensor().numel() == 0) {
    refuse(schema, "a b that is not empty with the driver gelss; choose gelsy.");
  }
}

// -n overflows for the least integer.
void matrixPower(const Schema& schema, const Stack& stack) {
  if (argument(schema, stack, "n").toInt() == INT64_MIN) refuse(schema, "a larger n.");
}

}  // namespace cleanclip::guards
