#include "guards.h"

#include <ATen/ops/amax.h>
#include <ATen/ops/amin.h>
#include <c10/util/irange.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <string_view>

#include "errors.h"
#include "guards/all.h"
#include "guards/arguments.h"

namespace cleanclip {

namespace {

using namespace guards;

double largest(const c10::IValue& value) {
  if (!value.isTensor()) return value.toScalar().toDouble();
  const auto& tensor = value.toTensor();
  return tensor.numel() == 0 || tensor.is_meta() ? 0 : tensor.to(at::kDouble).amax().item<double>();
}

// The recurrence of a polynomial runs once per degree.
void polynomial(const Schema& schema, const Stack& stack) {
  constexpr double limit = 100'000;
  if (largest(argument(schema, stack, "n")) > limit) {
    throw ArgumentError(schema.name() + " takes a degree n of at most 100,000.");
  }
}

// A range of integers divides by its step, which would round to 0.
void range(const Schema& schema, const Stack& stack) {
  const auto given = [&](const char* name) {
    const auto index = schema.argumentIndexWithName(name);
    return index ? stack.at(*index) : c10::IValue();
  };
  const auto [step, dtype, out] = std::array{given("step"), given("dtype"), given("out")};
  const bool integral = out.isTensor() ? c10::isIntegralType(out.toTensor().scalar_type(), true)
                                       : dtype.isInt() && c10::isIntegralType(dtype.toScalarType(), true);
  if (integral && step.isScalar() && std::fabs(step.toScalar().toDouble()) < 1) {
    throw ArgumentError(schema.name() + " takes a step of at least 1 for integers.");
  }
}

// The fused kernels read all lists by the sizes of the first one.
void fusedOptimizer(const Schema& schema, const Stack& stack) {
  std::vector<at::Tensor> parameters;
  for (const auto i : c10::irange(stack.size())) {
    if (!stack[i].isTensorList()) continue;
    const auto tensors = stack[i].toTensorVector();
    if (i == 0) parameters = tensors;
    const bool counts = schema.arguments()[i].name() == "state_steps";
    if (tensors.size() != parameters.size() && !tensors.empty()) {
      throw ArgumentError(schema.name() + " takes lists of equal lengths.");
    }
    for (const auto k : c10::irange(tensors.size())) {
      const auto& one = tensors[k];
      const bool fits = counts ? one.numel() == 1 && one.is_floating_point()
                               : one.sizes() == parameters[k].sizes() && one.strides() == parameters[k].strides() &&
                                     one.scalar_type() == parameters[k].scalar_type() &&
                                     one.is_non_overlapping_and_dense();
      if (!fits) {
        throw ArgumentError(schema.name() +
                            " takes parameters, gradients and states of equal shapes, strides and dtypes.");
      }
    }
  }
}

// With larger sizes the end of a window overflows, and an empty output of 2^40 rows takes a loop over all rows.
void pooling(const Schema& schema, const Stack& stack) {
  constexpr int64_t limit = 1 << 24;
  for (const auto& argument : stack) {
    if (!argument.isIntList()) continue;
    for (const auto value : argument.toIntVector()) {
      if (value > limit) throw ArgumentError(schema.name() + " takes sizes of at most 16,777,216.");
    }
  }
}

// Huge offsets overflow before libtorch compares them with the storage.
void addresses(const Schema& schema, const Stack& stack) {
  const auto check = [&](int64_t value) {
    constexpr int64_t limit = int64_t{1} << 48;
    if (value > limit) throw ArgumentError(schema.name() + " takes sizes, strides and an offset inside the storage.");
  };
  for (const auto& argument : stack) {
    if (argument.isInt()) check(argument.toInt());
    if (argument.isIntList()) std::ranges::for_each(argument.toIntVector(), check);
  }
}

// A read beyond the end of a mapped file kills the process.
void fromFile(const Schema& schema, const Stack& stack) {
  const auto& shared = argument(schema, stack, "shared");
  if (shared.isBool() && shared.toBool()) throw ArgumentError(schema.name() + " maps files for reading only.");
  const std::filesystem::path path = argument(schema, stack, "filename").toStringRef();
  const auto& size = argument(schema, stack, "size");
  const auto& dtype = argument(schema, stack, "dtype");
  const auto width = c10::elementSize(dtype.isInt() ? dtype.toScalarType() : at::get_default_dtype_as_scalartype());
  std::error_code missing;
  const auto bytes = std::filesystem::file_size(path, missing);
  const int64_t count = size.isInt() ? size.toInt() : 0;
  if (missing || count < 0 || static_cast<uint64_t>(count) > bytes / width) {
    throw ArgumentError(schema.name() + " takes a file with at least `size` elements; " + path.string() +
                        (missing ? " cannot be read." : " has " + std::to_string(bytes / width) + "."));
  }
}

struct Entry {
  std::string_view name;
  Guard guard;
};

constexpr std::array kGuards{
    Entry{"aten::_adaptive_avg_pool2d", pooling},
    Entry{"aten::_adaptive_avg_pool3d", pooling},
    Entry{"aten::_ctc_loss", ctcLoss},
    Entry{"aten::_fused_adagrad", fusedOptimizer},
    Entry{"aten::_fused_adagrad_", fusedOptimizer},
    Entry{"aten::_fused_adam", fusedOptimizer},
    Entry{"aten::_fused_adam_", fusedOptimizer},
    Entry{"aten::_fused_adamw", fusedOptimizer},
    Entry{"aten::_fused_adamw_", fusedOptimizer},
    Entry{"aten::_fused_sgd", fusedOptimizer},
    Entry{"aten::_fused_sgd_", fusedOptimizer},
    Entry{"aten::_grid_sampler_2d_cpu_fallback", gridSampler},
    Entry{"aten::_lazy_clone", strided},
    Entry{"aten::_neg_view", strided},
    Entry{"aten::_neg_view_copy", strided},
    Entry{"aten::_slow_conv2d_forward", flatKernelSize},
    Entry{"aten::adaptive_avg_pool1d", pooling},
    Entry{"aten::adaptive_avg_pool2d", pooling},
    Entry{"aten::adaptive_avg_pool3d", pooling},
    Entry{"aten::adaptive_max_pool1d", pooling},
    Entry{"aten::adaptive_max_pool2d", pooling},
    Entry{"aten::adaptive_max_pool3d", pooling},
    Entry{"aten::addmv", sparseProduct},
    Entry{"aten::addmv_", sparseProduct},
    Entry{"aten::as_strided", addresses},
    Entry{"aten::as_strided_", addresses},
    Entry{"aten::as_strided_copy", addresses},
    Entry{"aten::as_strided_scatter", addresses},
    Entry{"aten::binomial", binomial},
    Entry{"aten::copy", strided},
    Entry{"aten::ctc_loss", ctcLoss},
    Entry{"aten::embedding_bag", embeddingBag},
    Entry{"aten::fbgemm_linear_quantize_weight", quantizeWeight},
    Entry{"aten::from_file", fromFile},
    Entry{"aten::grid_sampler", gridSampler},
    Entry{"aten::grid_sampler_2d", gridSampler},
    Entry{"aten::linalg_eigvals", eigenvalues},
    Entry{"aten::linalg_ldl_solve", ldlSolve},
    Entry{"aten::linalg_lstsq", leastSquares},
    Entry{"aten::linalg_matmul", sparseProduct},
    Entry{"aten::linalg_matrix_power", matrixPower},
    Entry{"aten::linear", linear},
    Entry{"aten::lu_unpack", luUnpack},
    Entry{"aten::matmul", sparseProduct},
    Entry{"aten::matrix_power", matrixPower},
    Entry{"aten::max_pool1d", pooling},
    Entry{"aten::median", median},
    Entry{"aten::mkldnn_linear", linear},
    Entry{"aten::mv", sparseProduct},
    Entry{"aten::nanmedian", median},
    Entry{"aten::pdist", pdist},
    Entry{"aten::poisson", poisson},
    Entry{"aten::random", random},
    Entry{"aten::random_", random},
    Entry{"aten::range", range},
    Entry{"aten::segment_reduce", segmentReduce},
    Entry{"aten::set_", addresses},
    Entry{"aten::slow_conv3d", flatKernelSize},
    Entry{"aten::slow_conv3d_forward", flatKernelSize},
    Entry{"aten::slow_conv_dilated2d", kernelSize},
    Entry{"aten::slow_conv_dilated3d", kernelSize},
    Entry{"aten::slow_conv_transpose2d", kernelSize},
    Entry{"aten::slow_conv_transpose3d", kernelSize},
    Entry{"aten::special_chebyshev_polynomial_t", polynomial},
    Entry{"aten::special_chebyshev_polynomial_u", polynomial},
    Entry{"aten::special_chebyshev_polynomial_v", polynomial},
    Entry{"aten::special_chebyshev_polynomial_w", polynomial},
    Entry{"aten::special_hermite_polynomial_h", polynomial},
    Entry{"aten::special_hermite_polynomial_he", polynomial},
    Entry{"aten::special_laguerre_polynomial_l", polynomial},
    Entry{"aten::special_legendre_polynomial_p", polynomial},
    Entry{"aten::special_shifted_chebyshev_polynomial_t", polynomial},
    Entry{"aten::special_shifted_chebyshev_polynomial_u", polynomial},
    Entry{"aten::special_shifted_chebyshev_polynomial_v", polynomial},
    Entry{"aten::special_shifted_chebyshev_polynomial_w", polynomial},
    Entry{"aten::to_mkldnn", toMkldnn},
    Entry{"aten::thnn_conv2d", flatKernelSize},
    Entry{"aten::tril", contiguousOutput},
    Entry{"aten::triu", contiguousOutput},
    Entry{"aten::view", viewDtype},
    Entry{"aten::view_copy", strided},
};

}  // namespace

Guard guardOf(const std::string& name) {
  const auto found =
      std::find_if(kGuards.begin(), kGuards.end(), [&](const Entry& entry) { return entry.name == name; });
  if (found != kGuards.end()) return found->guard;
  if (name.starts_with("aten::_foreach_")) return foreachLists;
  return name.starts_with("aten::upsample_") || name.starts_with("aten::_upsample_") ? upsample : nullptr;
}

}  // namespace cleanclip
