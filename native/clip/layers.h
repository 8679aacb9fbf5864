#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <string>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>
#include <utility>
#include <vector>

namespace cleanclip {

// These layers have torch's names, and their tensors are empty until init.cc or a state dict fills them. The layers of
// torch::nn draw from the global generator when they are made, which takes seconds that loading does not need.

// A convolution without bias; its weight is stored in channels_last. [B, in, H, W] -> [B, out, H', W']
struct Conv2d : torch::nn::Module {
  Conv2d(int64_t in, int64_t out, int64_t kernel, int64_t stride = 1, int64_t padding = 0);
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor weight;  // [out, in, kernel, kernel]
  int64_t stride, padding;
};

// While an object of this class lives, batch norm in this thread does not update its running statistics. A forward pass
// that repeats another one needs this.
class FrozenStatistics {
 public:
  FrozenStatistics() : before(std::exchange(on, true)) {}
  ~FrozenStatistics() { on = before; }
  FrozenStatistics(const FrozenStatistics&) = delete;

  static bool active() { return on; }

 private:
  inline static thread_local bool on = false;
  bool before;
};

// Batch norm of [B, channels, H, W]. Training uses the statistics of the batch, or of all ranks' batches, and moves the
// running statistics towards them by a tenth.
struct BatchNorm2d : torch::nn::Module {
  explicit BatchNorm2d(int64_t channels);
  at::Tensor forward(const at::Tensor& x);

  at::Tensor weight, bias, running_mean, running_var;  // [channels]
  at::Tensor num_batches_tracked;                      // int64 []
  c10::intrusive_ptr<c10d::ProcessGroup> ranks;        // null: this rank's batch alone
};

// Layer norm over the last dimension, computed in at least float32.
struct LayerNorm : torch::nn::Module {
  explicit LayerNorm(int64_t width);
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor weight, bias;  // [width]
};

// [..., in] -> [..., out]
struct Linear : torch::nn::Module {
  Linear(int64_t in, int64_t out);
  at::Tensor forward(const at::Tensor& x) const;

  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out]
};

// int64 [...] -> [..., width]
struct Embedding : torch::nn::Module {
  Embedding(int64_t count, int64_t width);
  at::Tensor forward(const at::Tensor& ids) const;

  at::Tensor weight;  // [count, width]
};

// Modules named 0, 1, 2, … as in a torch.nn.Sequential.
template <class Block>
struct BlockList : torch::nn::Module {
  template <class... Arguments>
  void add(Arguments&&... arguments) {
    auto block = std::make_shared<Block>(std::forward<Arguments>(arguments)...);
    blocks.push_back(register_module(std::to_string(blocks.size()), block));
  }

  std::vector<std::shared_ptr<Block>> blocks;
};

}  // namespace cleanclip
