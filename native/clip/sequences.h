#pragma once

#include <ATen/core/Tensor.h>

namespace cleanclip {

// Packed layout: tokens without padding, [rows, width], one sequence after another. `places` maps each row to its slot
// in the padded [count, length] grid that attention needs. Everything else is computed on the rows.
struct Sequences {
  int64_t count, length;
  bool causal;        // no token sees a later one
  at::Tensor read;    // int64 [count]: the row from which each sequence's feature is taken
  at::Tensor seen;    // bool [count, length]: the slots that those rows see; undefined: all
  at::Tensor places;  // int64 [rows], of count·length; undefined: the rows are the grid itself

  at::Tensor pad(const at::Tensor& rows) const;      // [rows, width] -> [count, length, width]; 0 where no row lies
  at::Tensor unpad(const at::Tensor& x) const;       // [count, length, width] -> [rows, width]
  at::Tensor at_read(const at::Tensor& rows) const;  // [rows, width] -> [count, width]
};

// The layout of captions of `length` slots each, whose features are taken at `ends`, int64 [B] on the CPU. In causal
// captions a token sees the slots up to its own; else it sees all. Only causal captions can be packed: tokens after the
// end then get no rows. Padding rounds the number of rows up, so that few different numbers occur: oneDNN and a GPU's
// kernels cache what they prepare for each number, and a GPU's memory of one step then fits the next. The number
// becomes a multiple of 16, and on a GPU one of at most 16 numbers between two powers of two, at most 1/16 too large.
Sequences captions(const at::Tensor& ends, int64_t length, bool causal, bool packed, at::Device device);

// The layout of images of `length` tokens each, whose features are taken at the first token.
Sequences images(int64_t count, int64_t length, at::Device device);

}  // namespace cleanclip
