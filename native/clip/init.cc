#include "init.h"

#include <c10/core/GradMode.h>

#include <cmath>

#include "resnet.h"
#include "vision_transformer.h"

namespace cleanclip {

namespace {

struct Initialiser {
  at::Generator generator;

  void normal(const at::Tensor& t, double std) { t.normal_(0, std, generator); }
  void uniform(const at::Tensor& t, double bound) { t.uniform_(-bound, bound, generator); }

  // torch.nn's defaults: kaiming_uniform(a = √5) is U(±fan_in^-½), for weights and biases alike.
  void defaults(torch::nn::Module& module) {
    if (auto* conv = module.as<Conv2d>()) {
      uniform(conv->weight, std::pow(conv->weight[0].numel(), -0.5));
    } else if (auto* linear = module.as<Linear>()) {
      uniform(linear->weight, std::pow(linear->weight.size(1), -0.5));
      uniform(linear->bias, std::pow(linear->weight.size(1), -0.5));
    } else if (auto* norm = module.as<LayerNorm>()) {
      norm->weight.fill_(1);
      norm->bias.zero_();
    } else if (auto* norm = module.as<BatchNorm2d>()) {
      norm->weight.fill_(1);
      norm->bias.zero_();
      norm->running_mean.zero_();
      norm->running_var.fill_(1);
      norm->num_batches_tracked.zero_();
    } else if (auto* scale = module.as<LayerScale>()) {
      scale->gamma.fill_(1e-4);  // what the one named configuration that has it, ViT-M-16-alt, begins with
    } else if (auto* attention = module.as<MultiheadAttention>()) {
      uniform(attention->in_proj_weight, std::sqrt(6.0 / (4 * attention->in_proj_weight.size(1))));  // xavier_uniform
      attention->in_proj_bias.zero_();
    }
  }

  void resnet(ModifiedResNet& visual) {
    for (const auto& stage : visual.stages) {
      for (const auto& block : stage->blocks) block->bn3->weight.zero_();
    }
    auto& pool = *visual.attnpool;
    const auto std = std::pow(pool.positional_embedding.size(1), -0.5);
    normal(pool.positional_embedding, std);
    for (const auto& projection : {pool.q_proj, pool.k_proj, pool.v_proj, pool.c_proj}) normal(projection->weight, std);
  }

  void vision_transformer(VisionTransformer& visual) {
    const auto std = std::pow(visual.proj.size(0), -0.5);
    for (auto* parameter : {&visual.class_embedding, &visual.positional_embedding, &visual.proj})
      normal(*parameter, std);
  }

  void text(Clip& clip) {
    const auto width = static_cast<double>(clip.token_embedding->weight.size(1));
    const auto depth = static_cast<double>(clip.transformer->resblocks->blocks.size());
    normal(clip.token_embedding->weight, 0.02);
    normal(clip.positional_embedding, 0.01);
    for (const auto& block : clip.transformer->resblocks->blocks) {
      normal(block->attn->in_proj_weight, std::pow(width, -0.5));
      normal(block->attn->out_proj->weight, std::pow(width * 2 * depth, -0.5));
      normal(block->mlp->c_fc->weight, std::pow(2 * width, -0.5));
      normal(block->mlp->c_proj->weight, std::pow(width * 2 * depth, -0.5));
    }
    if (clip.biased_projection) {
      normal(clip.biased_projection->weight, std::pow(width, -0.5));
      clip.biased_projection->bias.zero_();
    } else {
      normal(clip.text_projection, std::pow(width, -0.5));
    }
  }
};

}  // namespace

void initialise(Clip& clip, const at::Generator& generator) {
  const c10::NoGradGuard no_grad;
  Initialiser initialiser{generator};
  clip.apply([&](torch::nn::Module& module) { initialiser.defaults(module); });
  clip.apply([](torch::nn::Module& module) {
    if (auto* attention = module.as<MultiheadAttention>()) attention->out_proj->bias.zero_();
  });
  if (auto* resnet = clip.visual->as<ModifiedResNet>()) initialiser.resnet(*resnet);
  if (auto* transformer = clip.visual->as<VisionTransformer>()) initialiser.vision_transformer(*transformer);
  initialiser.text(clip);
  clip.logit_scale.fill_(std::log(1 / 0.07));
  if (clip.logit_bias.defined()) clip.logit_bias.zero_();
}

}  // namespace cleanclip
