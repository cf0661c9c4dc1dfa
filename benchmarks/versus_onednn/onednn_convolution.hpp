// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/tensor.hpp"
#include "frostline/kernels/convolution.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

/// What a convolution and its gradients are computed of: x and dy are NHWC, w is HWIO.
struct operands {
    frostline::aligned_vector<float> x, w, dy;
};

inline std::size_t result_size(const frostline::kernels::convolution_geometry& g,
                               frostline::kernels::convolution_pass pass) {
    if (pass == frostline::kernels::convolution_pass::forward) return g.samples * g.output_size();
    if (pass == frostline::kernels::convolution_pass::backward_input) return g.samples * g.input_size();
    return g.weight_size();
}

/// One pass of a convolution in oneDNN. Operands are brought into the layout that the implementation wants
/// when it is made, so that a run is the convolution alone.
class onednn_convolution {
    using memory = dnnl::memory;
    using pass_kind = frostline::kernels::convolution_pass;

public:
    /// @param layout of x and y: any lets oneDNN choose; it always chooses that of w
    /// @return nothing where oneDNN has no such implementation
    static std::unique_ptr<onednn_convolution> make(const frostline::kernels::convolution_geometry& geometry,
                                                    pass_kind pass, dnnl::algorithm algorithm,
                                                    memory::format_tag layout, const operands& given) {
        try {
            return std::make_unique<onednn_convolution>(geometry, pass, algorithm, layout, given);
        } catch (const dnnl::error& failure) {
            if (failure.status == dnnl_unimplemented) return nullptr;
            throw;
        }
    }

    onednn_convolution(const frostline::kernels::convolution_geometry& g, pass_kind pass,
                       dnnl::algorithm algorithm, memory::format_tag layout, const operands& given)
        : result_size_(result_size(g, pass)) {
        const auto dimension = [](std::size_t value) { return static_cast<memory::dim>(value); };
        const memory::dims x_shape{dimension(g.samples), dimension(g.input_channels),
                                   dimension(g.input_height), dimension(g.input_width)};
        const memory::dims w_shape{dimension(g.output_channels), dimension(g.input_channels),
                                   dimension(g.kernel_height), dimension(g.kernel_width)};
        const memory::dims y_shape{dimension(g.samples), dimension(g.output_channels),
                                   dimension(g.output_height), dimension(g.output_width)};
        const memory::dims strides{dimension(g.stride_height), dimension(g.stride_width)};
        const memory::dims padding{dimension(g.padding_height), dimension(g.padding_width)};
        constexpr auto f32 = memory::data_type::f32;
        constexpr auto nhwc = memory::format_tag::nhwc, hwio = memory::format_tag::hwio;
        const memory::desc x(x_shape, f32, layout), w(w_shape, f32, memory::format_tag::any),
            y(y_shape, f32, layout);
        const memory::desc plain_x(x_shape, f32, nhwc), plain_w(w_shape, f32, hwio),
            plain_y(y_shape, f32, nhwc);

        const dnnl::convolution_forward::primitive_desc forward(
            {dnnl::prop_kind::forward_training, algorithm, x, w, y, strides, padding, padding}, engine_);
        switch (pass) {
            case pass_kind::forward:
                adopt<dnnl::convolution_forward>(forward);
                take(DNNL_ARG_SRC, forward.src_desc(), plain_x, given.x);
                take(DNNL_ARG_WEIGHTS, forward.weights_desc(), plain_w, given.w);
                give(DNNL_ARG_DST, forward.dst_desc(), plain_y);
                break;
            case pass_kind::backward_input: {
                const dnnl::convolution_backward_data::primitive_desc backward(
                    {algorithm, x, w, y, strides, padding, padding}, engine_, forward);
                adopt<dnnl::convolution_backward_data>(backward);
                take(DNNL_ARG_DIFF_DST, backward.diff_dst_desc(), plain_y, given.dy);
                take(DNNL_ARG_WEIGHTS, backward.weights_desc(), plain_w, given.w);
                give(DNNL_ARG_DIFF_SRC, backward.diff_src_desc(), plain_x);
                break;
            }
            case pass_kind::backward_weights: {
                const dnnl::convolution_backward_weights::primitive_desc backward(
                    {algorithm, x, w, y, strides, padding, padding}, engine_, forward);
                adopt<dnnl::convolution_backward_weights>(backward);
                take(DNNL_ARG_SRC, backward.src_desc(), plain_x, given.x);
                take(DNNL_ARG_DIFF_DST, backward.diff_dst_desc(), plain_y, given.dy);
                give(DNNL_ARG_DIFF_WEIGHTS, backward.diff_weights_desc(), plain_w);
                break;
            }
        }
    }

    void run() {
        primitive_.execute(stream_, arguments_);
        stream_.wait();
    }

    /// Of the last run, in frostline's layout.
    frostline::aligned_vector<float> result() {
        frostline::aligned_vector<float> values(result_size_);
        memory plain(plain_result_, engine_, values.data());
        dnnl::reorder(result_, plain).execute(stream_, result_, plain);
        stream_.wait();
        return values;
    }

    /// The implementation, as oneDNN calls it.
    const std::string& name() const { return name_; }

private:
    template <class Primitive>
    void adopt(const typename Primitive::primitive_desc& description) {
        primitive_ = Primitive(description);
        name_ = description.impl_info_str();
    }

    void take(int argument, const memory::desc& wanted, const memory::desc& plain,
              const frostline::aligned_vector<float>& values) {
        memory source(plain, engine_, const_cast<float*>(values.data()));
        memory own(wanted, engine_);
        dnnl::reorder(source, own).execute(stream_, source, own);
        stream_.wait();
        arguments_.emplace(argument, own);
    }

    void give(int argument, const memory::desc& wanted, const memory::desc& plain) {
        result_ = memory(wanted, engine_);
        plain_result_ = plain;
        arguments_.emplace(argument, result_);
    }

    dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream_{engine_};
    dnnl::primitive primitive_;
    std::unordered_map<int, memory> arguments_;
    memory result_;
    memory::desc plain_result_;
    std::size_t result_size_;
    std::string name_;
};
