// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/kernels/convolution.hpp"
#include "frostline/kernels/normalisation.hpp"
#include "frostline/layers/convolution_options.hpp"

namespace frostline::inline FROSTLINE_ISA {

/// 2-D convolution (cross-correlation) with an optional bias. Weight HWIO, bias one value an output channel.
template <class T>
class conv2d {
public:
    using value_type = T;
    static constexpr backward_reads reads{.input = true};

    struct context {};

    explicit conv2d(convolution_options options, bool with_bias = true)
        : options_(std::move(options)), weight_(convolution_weight<T>(options_)), with_bias_(with_bias) {
        bias_ = {.name = options_.name + ".bias",
                 .shape = {options_.output_channels},
                 .initial = initialiser::constant(0),
                 .decays = false};
    }

    sample_shape output_shape(const sample_shape& input) const {
        return output_shape_of(geometry_of(options_, input));
    }
    flop_counts flops(const sample_shape& input) const { return flops_of(geometry_of(options_, input)); }
    std::string description() const { return description_of(options_); }

    void forward(const tensor<T>& x, tensor<T>& y, context&, workspace<T>& workspace, const pass& how) {
        const auto geometry = batch_geometry(x);
        resize(y, geometry.samples, output_shape_of(geometry));
        kernels::convolution_forward(geometry, x.data(), weight_.value,
                                     {.shift = with_bias_ ? bias_.value : nullptr}, y.data(),
                                     computes_as(how.phase), workspace);
    }

    void backward(const tensor<T>& x, const tensor<T>&, tensor<T>& dy, context&, workspace<T>& workspace,
                  gradients wanted, tensor<T>& dx) {
        const auto geometry = batch_geometry(x);
        if (wants_parameters(wanted)) {
            kernels::convolution_backward_weights(geometry, x.data(), dy.data(), weight_.gradient, workspace);
            if (with_bias_) {
                const std::size_t rows = geometry.samples * geometry.output_positions();
                auto scratch = workspace.array(kernels::column_scratch_size(rows, options_.output_channels));
                kernels::column_sums(rows, options_.output_channels, dy.data(), bias_.gradient,
                                     scratch->data());
            }
        }
        if (wants_input(wanted)) {
            resize(dx, geometry.samples, shape_of(x));
            kernels::convolution_backward_input(geometry, dy.data(), weight_.value, dx.data(), workspace);
        }
    }

    template <class Visitor>
    void for_each_parameter(const Visitor& visit) {
        visit(weight_);
        if (with_bias_) visit(bias_);
    }
    template <class Visitor>
    void for_each_buffer(const Visitor&) {}

private:
    kernels::convolution_geometry batch_geometry(const tensor<T>& x) const {
        auto geometry = geometry_of(options_, shape_of(x));
        geometry.samples = samples_of(x);
        return geometry;
    }

    convolution_options options_;
    parameter<T> weight_;
    parameter<T> bias_;
    bool with_bias_;
};

}  // namespace frostline
