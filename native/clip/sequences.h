#pragma once

#include <ATen/core/Tensor.h>

namespace cleanclip {

// How the tokens of a batch, as rows [rows, width] one sequence after another, lie in places [count, length]: what
// concerns single tokens is computed on the rows, and only attention needs the places.
struct Sequences {
  int64_t count, length;
  bool causal;        // no token sees a later one
  at::Tensor read;    // int64 [count]: the row at which each sequence is read
  at::Tensor seen;    // bool [count, length]: what those rows see; undefined: everything
  at::Tensor places;  // int64 [rows]: of count·length; undefined: the rows are all places in their order

  at::Tensor pad(const at::Tensor& rows) const;      // [rows, width] -> [count, length, width]; 0 where no row lies
  at::Tensor unpad(const at::Tensor& x) const;       // [count, length, width] -> [rows, width]
  at::Tensor at_read(const at::Tensor& rows) const;  // [rows, width] -> [count, width]
};

// Captions that are read at `ends`, int64 [B] on the CPU, in `length` places each, of which a token sees those up to
// its own, or all if they are not causal. Packed, which is for causal ones alone, tokens after the end get no rows, but
// as many as round the number of rows up to 16, so that there are few different numbers: oneDNN and a GPU's kernels
// keep what they prepare for each.
Sequences captions(const at::Tensor& ends, int64_t length, bool causal, bool packed, at::Device device);

// Images of `length` tokens, each read at the first.
Sequences images(int64_t count, int64_t length, at::Device device);

}  // namespace cleanclip
