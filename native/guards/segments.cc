// Operators with a tensor of indices, lengths or offsets that select parts of another tensor.
#include <ATen/ops/diff.h>

#include <algorithm>

#include "all.h"
#include "arguments.h"

namespace cleanclip::guards {

namespace {

bool ascending(const at::Tensor& offsets) {
  return offsets.dim() > 0 && inside(offsets.to(at::kLong).diff(), 0, INT64_MAX);
}

bool integral(const at::Tensor& tensor) {
  return tensor.scalar_type() == at::kLong || tensor.scalar_type() == at::kInt;
}

std::vector<int64_t> lengthsOf(const c10::IValue& given) {
  if (given.isIntList()) return given.toIntVector();
  if (!given.isTensor() || given.toTensor().is_meta()) return {};
  const auto lengths = given.toTensor().to(at::kCPU, at::kLong).contiguous().view(-1);
  const auto* const first = lengths.const_data_ptr<int64_t>();
  return {first, first + lengths.numel()};
}

}  // namespace

// The kernel trusts the labels. Padding at the ends of the rows of `targets` may be any number.
void ctcLoss(const Schema& schema, const Stack& stack) {
  const auto& probabilities = argument(schema, stack, "log_probs").toTensor();
  const auto given = readable(schema, stack, "targets");
  if (!given.defined() || probabilities.dim() < 2 || given.dim() == 0 || given.numel() == 0) return;
  const auto targets = given.to(at::kCPU, at::kLong).contiguous();
  const auto* const labels = targets.const_data_ptr<int64_t>();
  const int64_t classes = probabilities.size(-1);
  const auto check = [&](int64_t from, int64_t count) {
    for (int64_t i = from; i < std::min(from + count, targets.numel()); i++) {
      if (labels[i] < 0 || labels[i] >= classes)
        refuse(schema, "targets of at least 0 and below the number of classes, " + std::to_string(classes) + ".");
    }
  };
  if (targets.dim() != 2) return check(0, targets.numel());
  const auto lengths = lengthsOf(argument(schema, stack, "target_lengths"));
  for (size_t row = 0; row < lengths.size(); row++)
    check(static_cast<int64_t>(row) * targets.size(1), std::min(lengths[row], targets.size(1)));
}

// The kernel trusts the indices, the offsets and the dtypes.
void embeddingBag(const Schema& schema, const Stack& stack) {
  const auto weight = readable(schema, stack, "weight");
  const auto indices = readable(schema, stack, "indices");
  const auto offsets = readable(schema, stack, "offsets");
  if (!weight.defined() || !indices.defined() || !offsets.defined()) return;
  const auto strided = [](const at::Tensor& tensor) {
    return tensor.layout() == at::kStrided && !tensor.is_quantized();
  };
  if (!strided(weight) || weight.dim() != 2 || !weight.is_floating_point())
    refuse(schema, "a 2-dimensional weight of floats.");
  if (!strided(indices) || !strided(offsets) || indices.dim() != 1 || offsets.dim() != 1 || !integral(indices) ||
      !integral(offsets)) {
    refuse(schema,
           "1-dimensional indices and offsets of int32 or int64; flatten the indices and pass the start of each bag.");
  }
  if (!inside(indices, 0, weight.size(0) - 1)) {
    refuse(schema, "indices of at least 0 and below the weight's rows, " + std::to_string(weight.size(0)) + ".");
  }
  const auto last = argument(schema, stack, "include_last_offset");
  const bool withLast = last.isBool() && last.toBool();
  if (withLast && offsets.numel() == 0) refuse(schema, "at least one offset with include_last_offset.");
  if (!inside(offsets, 0, indices.numel()) || !ascending(offsets) ||
      (offsets.numel() == 0 ? indices.numel() > 0 : offsets[0].item<int64_t>() != 0)) {
    refuse(schema, "offsets that start at 0, never fall and never pass the number of indices.");
  }
  if (withLast && offsets.numel() == 1 && indices.numel() > 0)
    refuse(schema, "no indices where the offsets make no bag.");
  const auto mode = argument(schema, stack, "mode");
  if (mode.isInt() && (mode.toInt() < 0 || mode.toInt() > 2)) refuse(schema, "a mode of 0 (sum), 1 (mean) or 2 (max).");
  const auto scales = readable(schema, stack, "per_sample_weights");
  if (scales.defined() &&
      (!strided(scales) || scales.sizes() != indices.sizes() || scales.scalar_type() != weight.scalar_type())) {
    refuse(schema, "per_sample_weights of the indices' shape and the weight's dtype.");
  }
}

// The kernel trusts the lengths and the offsets.
void segmentReduce(const Schema& schema, const Stack& stack) {
  const auto data = readable(schema, stack, "data");
  const auto lengths = readable(schema, stack, "lengths");
  const auto offsets = readable(schema, stack, "offsets");
  const auto& segments = lengths.defined() ? lengths : offsets;
  if (!data.defined() || !segments.defined()) return;
  const int64_t axis = segments.dim() - 1;
  const bool fits = integral(segments) && axis >= 0 && axis < data.dim() && data.layout() == at::kStrided &&
                    segments.layout() == at::kStrided && segments.sizes().slice(0, axis) == data.sizes().slice(0, axis);
  if (!fits) refuse(schema, "lengths or offsets of int32 or int64, whose sizes but the last are the data's.");
  const int64_t rows = data.size(axis);
  if (lengths.defined()) {
    const auto sums = lengths.sum(-1);
    if (!inside(lengths, 0, rows) || !inside(sums, rows, rows)) {
      refuse(schema, "lengths that add up to the data's size along the axis, " + std::to_string(rows) + ".");
    }
  } else if (offsets.size(-1) == 0 || !inside(offsets, 0, rows) || !ascending(offsets)) {
    refuse(schema, "offsets that never fall, from 0 to the data's size along the axis, " + std::to_string(rows) + ".");
  }
}

}  // namespace cleanclip::guards
