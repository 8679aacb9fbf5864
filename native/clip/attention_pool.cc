#include "attention_pool.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include "config.h"

namespace cleanclip {

AttentionPool2d::AttentionPool2d(int64_t side, int64_t width, int64_t output_width)
    : positional_embedding(register_parameter("positional_embedding", at::empty({side * side + 1, width}))),
      k_proj(register_module("k_proj", std::make_shared<Linear>(width, width))),
      q_proj(register_module("q_proj", std::make_shared<Linear>(width, width))),
      v_proj(register_module("v_proj", std::make_shared<Linear>(width, width))),
      c_proj(register_module("c_proj", std::make_shared<Linear>(width, output_width))) {}

at::Tensor AttentionPool2d::forward(const at::Tensor& x) const {
  const auto cells = x.flatten(2).transpose(1, 2);                                             // [B, HW, C]
  const auto tokens = at::cat({cells.mean(1, true), cells}, 1) + positional_embedding;         // [B, 1 + HW, C]
  const auto heads = [](const at::Tensor& t) { return t.unflatten(2, {-1, kHeadWidth}).transpose(1, 2); };
  const auto pooled = at::scaled_dot_product_attention(heads(q_proj->forward(tokens.narrow(1, 0, 1))),
                                                       heads(k_proj->forward(tokens)),
                                                       heads(v_proj->forward(tokens)));        // [B, C/64, 1, 64]
  return c_proj->forward(pooled.flatten(1));
}

}  // namespace cleanclip
