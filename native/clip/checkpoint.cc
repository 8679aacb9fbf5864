#include "checkpoint.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include "layers.h"

namespace cleanclip {

namespace {

// The state of autocast in the forward pass. It belongs to the thread, and backward may run in another thread.
class AutocastState {
 public:
  explicit AutocastState(c10::DeviceType device)
      : device(device),
        enabled(at::autocast::is_autocast_enabled(device)),
        dtype(at::autocast::get_autocast_dtype(device)) {}

  void set() const {
    at::autocast::set_autocast_enabled(device, enabled);
    at::autocast::set_autocast_dtype(device, dtype);
  }

  const c10::DeviceType device;

 private:
  bool enabled;
  at::ScalarType dtype;
};

// Sets autocast in this thread to a state, while the object lives.
class UnderAutocast {
 public:
  explicit UnderAutocast(const AutocastState& state) : before(state.device) {
    state.set();
    at::autocast::increment_nesting();
  }
  ~UnderAutocast() {
    if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
    before.set();
  }
  UnderAutocast(const UnderAutocast&) = delete;

 private:
  const AutocastState before;
};

// What backward needs besides x.
struct Forward : torch::CustomClassHolder {
  Forward(Block block, AutocastState autocast) : block(std::move(block)), autocast(autocast) {}

  Block block;
  AutocastState autocast;
};

struct Recompute : torch::autograd::Function<Recompute> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, const Block& block) {
    context->save_for_backward({x});
    context->saved_data["forward"] =
        c10::IValue::make_capsule(c10::make_intrusive<Forward>(block, AutocastState(x.device().type())));
    return block(x);  // nothing is recorded here
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->saved_data["forward"].toCapsule();
    const auto& forward = static_cast<const Forward&>(*saved);
    const at::AutoGradMode recording(true);
    const FrozenStatistics frozen;
    const auto x = context->get_saved_variables()[0].detach().requires_grad_();
    at::Tensor y;
    {
      const UnderAutocast cast(forward.autocast);
      y = forward.block(x);
    }
    torch::autograd::backward({y}, {gradients[0]});
    return {x.grad(), at::Tensor()};
  }
};

}  // namespace

at::Tensor checkpoint(const Block& block, const at::Tensor& x) {
  return at::GradMode::is_enabled() && x.requires_grad() ? Recompute::apply(x, block) : block(x);
}

}  // namespace cleanclip
