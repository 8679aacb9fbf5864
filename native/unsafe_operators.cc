#include "unsafe_operators.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

namespace cleanclip {

namespace {

struct Refusals {
  std::string_view reason;
  std::vector<std::string_view> names;  // a '*' at the end stands for any rest
};

const std::array kRefusals{
    Refusals{"it is a step inside another operator, which checks the arguments for it",
             {
                 "aten::_batch_norm_impl_index",
                 "aten::_batch_norm_no_update",
                 "aten::_batch_norm_with_update",
                 "aten::_batch_norm_with_update_functional",
                 "aten::_cholesky_solve_helper",
                 "aten::_chunk_cat",
                 "aten::_compute_linear_combination",
                 "aten::_convert_indices_from_coo_to_csr",
                 "aten::_convert_indices_from_csr_to_coo",
                 "aten::_cummax_helper",
                 "aten::_cummin_helper",
                 "aten::_dyn_quant_matmul_4bit",
                 "aten::_dyn_quant_pack_4bit_weight",
                 "aten::_embedding_bag",
                 "aten::_embedding_bag_forward_only",
                 "aten::_fft_c2c",
                 "aten::_fft_c2r",
                 "aten::_fft_r2c",
                 "aten::_foreach_copy",
                 "aten::_foreach_powsum",
                 "aten::_fused_moving_avg_obs_fq_helper",
                 "aten::_fused_moving_avg_obs_fq_helper_functional",
                 "aten::_linalg_eigvals",
                 "aten::_logcumsumexp",
                 "aten::_masked_softmax",
                 "aten::_native_batch_norm_legit",
                 "aten::_native_batch_norm_legit_functional",
                 "aten::_native_batch_norm_legit_no_training",
                 "aten::_nested_compute_contiguous_strides_offsets",
                 "aten::_new_zeros_with_same_feature_meta",
                 "aten::_nnpack_spatial_convolution",
                 "aten::_pad_packed_sequence",
                 "aten::_pdist_forward",
                 "aten::_prelu_kernel",
                 "aten::_saturate_weight_to_fp16",
                 "aten::_scaled_dot_product_*",
                 "aten::_sobol_engine_draw",
                 "aten::_sobol_engine_ff_",
                 "aten::_sobol_engine_initialize_state_",
                 "aten::_sobol_engine_scramble_",
                 "aten::_sparse_broadcast_to",
                 "aten::_stack",
                 "aten::_transform_bias_rescale_qkv",
                 "aten::_unsafe_masked_index",
                 "aten::_unsafe_masked_index_put_accumulate",
                 "aten::_weight_norm",
                 "aten::_weight_norm_interface",
                 "aten::batch_norm_update_stats",
                 "aten::fused_moving_avg_obs_fake_quant",
                 "aten::linalg__powsum",
                 "aten::mkldnn_rnn_layer",
                 "aten::native_batch_norm",
                 "aten::native_group_norm",
                 "aten::rrelu_with_noise",
             }},
    Refusals{"it trusts the shapes that torch.nn's modules check in Python",
             {
                 "aten::gru",
                 "aten::lstm",
                 "aten::rnn_relu",
                 "aten::rnn_tanh",
             }},
    Refusals{"it takes a batch level of functorch's transforms, which exist in Python alone",
             {
                 "aten::_add_batch_dim",
                 "aten::_remove_batch_dim",
             }},
    Refusals{"it makes or reads a nested tensor, which has no sizes and no form in JavaScript",
             {
                 "aten::_nested_*",
                 "aten::nested_to_padded_tensor",
             }},
    Refusals{"it makes a tensor of memory or indices that nothing checks",
             {
                 "aten::_efficientzerotensor",
                 "aten::_reshape_alias",
                 "aten::_reshape_alias_copy",
                 "aten::_sparse_bsc_tensor_unsafe",
                 "aten::_sparse_bsr_tensor_unsafe",
                 "aten::_sparse_compressed_tensor_unsafe",
                 "aten::_sparse_coo_tensor_unsafe",
                 "aten::_sparse_csc_tensor_unsafe",
                 "aten::_sparse_csr_tensor_unsafe",
                 "inductor::*",
             }},
    Refusals{"it trusts packed weights that only a compiled or quantized model has",
             {
                 "_quantized::*",
                 "aten::choose_qparams_optimized",
                 "aten::fbgemm_pack_gemm_matrix_fp16",
                 "aten::fbgemm_pack_quantized_matrix",
                 "aten::quantized_gru_cell",
                 "aten::quantized_lstm_cell",
                 "aten::quantized_rnn_relu_cell",
                 "aten::quantized_rnn_tanh_cell",
                 "aten::mkldnn_reorder_conv2d_weight",
                 "aten::mkldnn_reorder_conv3d_weight",
                 "mkl::*",
                 "mkldnn::*",
                 "mkldnn_prepacked::*",
                 "onednn::*",
                 "quantized::*",
             }},
    Refusals{"it belongs to libtorch's own tests",
             {
                 "_test::*",
                 "aten::_foobar",
                 "aten::_test_*",
             }},
};

bool matches(std::string_view pattern, std::string_view name) {
  return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : pattern == name;
}

// The steps of backward trust what forward saved: sizes, indices, workspaces. Autograd calls them in C++, which this
// refusal does not affect.
bool isGradientStep(std::string_view name) {
  return name.ends_with("_jvp") || (name.find("_backward") != std::string_view::npos && name != "aten::_backward");
}

}  // namespace

std::string refusalOf(const std::string& name) {
  if (isGradientStep(name)) return "it is a step of autograd that trusts what the forward step saved; use backward()";
  for (const auto& [reason, names] : kRefusals) {
    if (std::any_of(names.begin(), names.end(), [&](auto pattern) { return matches(pattern, name); })) {
      return std::string(reason);
    }
  }
  return "";
}

}  // namespace cleanclip
