#pragma once

#include <utility>

#include "config.h"
#include "image_encoder.h"
#include "transformer.h"

namespace cleanclip {

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
  bool is_parameter;
};

// CLIP (Radford et al. 2021) under OpenAI's parameter names, in OpenAI's order.
struct Clip : torch::nn::Module {
  explicit Clip(const ClipConfig& config);

  // Normalised pixels [B, 3, S, S] -> features [B, embed_dim], not normalised.
  at::Tensor encode_image(const at::Tensor& pixels);

  // Token ids int64 [B, ≤ context_length] -> features [B, embed_dim], not normalised. A feature is taken at one token
  // of its row, as a rule at the highest id (the end token). Where no token sees a later one, `pack` leaves out the
  // tokens after it.
  at::Tensor encode_text(const at::Tensor& ids, bool pack = true);

  // Returns the features of images and texts, [B, embed_dim] each, normalised to unit length.
  std::pair<at::Tensor, at::Tensor> forward(const at::Tensor& ids, const at::Tensor& pixels, bool pack = true);

  // Lets backward compute each block once more instead of storing its activations. This saves memory and takes a
  // quarter more time.
  void set_checkpointing(bool on);

  // Lets batch norm in training use the statistics of all these ranks' batches; null: of this rank's batch alone.
  void sync_batch_norm(const c10::intrusive_ptr<c10d::ProcessGroup>& ranks);

  // Returns parameters and buffers by name, module by module, in the order of Python's state_dict().
  std::vector<NamedTensor> state() const;

  at::Tensor positional_embedding;  // [context_length, text_width]
  at::Tensor text_projection;       // [text_width, embed_dim], unless it has a bias
  at::Tensor logit_scale;           // [], the logarithm of the factor on similarities
  at::Tensor logit_bias;            // [], or undefined
  std::shared_ptr<ImageEncoder> visual;
  std::shared_ptr<Transformer> transformer;
  std::shared_ptr<Embedding> token_embedding;
  std::shared_ptr<LayerNorm> ln_final;
  std::shared_ptr<Linear> biased_projection;  // text_projection with a bias, or none

 private:
  at::Tensor ends(const at::Tensor& ids) const;  // int64 [B]: the slot at which each row's feature is taken

  TextPool text_pool;
  int64_t eos_id;
  bool causal;
};

}  // namespace cleanclip
