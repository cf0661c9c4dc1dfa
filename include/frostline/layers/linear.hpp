// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/kernels/convolution.hpp"
#include "frostline/kernels/normalisation.hpp"

#include <cmath>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

struct linear_options {
    std::string name{};  ///< torchvision's path, "classifier"
    std::size_t inputs = 1;
    std::size_t outputs = 1;
    /// Of the weight. The default is torch's: uniform within 1 / sqrt(inputs), for weight and bias.
    std::optional<initialiser> initial{};
};

/// Fully connected layer: y = x W + b on the flattened sample, W of shape (inputs, outputs). Computed as a
/// 1x1 convolution of a 1x1 image, for which the convolution engine knows every product it needs.
template <class T>
class linear {
public:
    using value_type = T;
    static constexpr backward_reads reads{.input = true};

    struct context {};

    explicit linear(linear_options options) : options_(std::move(options)) {
        require<argument_error>(options_.inputs > 0 && options_.outputs > 0, "linear '", options_.name,
                                "': inputs and outputs must be at least 1");
        const auto torch_default =
            initialiser::uniform(1.0 / std::sqrt(static_cast<double>(options_.inputs)));
        weight_ = {.name = options_.name + ".weight",
                   .shape = {options_.inputs, options_.outputs},
                   .initial = options_.initial.value_or(torch_default)};
        bias_ = {.name = options_.name + ".bias",
                 .shape = {options_.outputs},
                 .initial = options_.initial ? initialiser::constant(0) : torch_default,
                 .decays = false};
    }

    sample_shape output_shape(const sample_shape& input) const {
        require<shape_error>(input.size() == options_.inputs, "linear '", options_.name, "' takes ",
                             options_.inputs, " values a sample, but its input ", input, " has ",
                             input.size());
        return {1, 1, options_.outputs};
    }
    flop_counts flops(const sample_shape&) const {
        const std::uint64_t flops = 2 * std::uint64_t{options_.inputs} * options_.outputs;
        return {.forward = flops, .backward_input = flops, .backward_parameters = flops};
    }
    std::string description() const { return sentence("linear ", options_.inputs, " -> ", options_.outputs); }

    void forward(const tensor<T>& x, tensor<T>& y, context&, workspace<T>& workspace, const pass& how) {
        resize(y, samples_of(x), output_shape(shape_of(x)));
        kernels::convolution_forward(geometry(x), x.data(), weight_.value, {.shift = bias_.value}, y.data(),
                                     computes_as(how.phase), workspace);
    }

    void backward(const tensor<T>& x, const tensor<T>&, tensor<T>& dy, context&, workspace<T>& workspace,
                  gradients wanted, tensor<T>& dx) {
        if (wants_parameters(wanted)) {
            kernels::convolution_backward_weights(geometry(x), x.data(), dy.data(), weight_.gradient,
                                                  workspace);
            auto scratch = workspace.array(kernels::column_scratch_size(samples_of(x), options_.outputs));
            kernels::column_sums(samples_of(x), options_.outputs, dy.data(), bias_.gradient, scratch->data());
        }
        if (wants_input(wanted)) {
            resize(dx, samples_of(x), shape_of(x));
            kernels::convolution_backward_input(geometry(x), dy.data(), weight_.value, dx.data(), workspace);
        }
    }

    template <class Visitor>
    void for_each_parameter(const Visitor& visit) {
        visit(weight_);
        visit(bias_);
    }
    template <class Visitor>
    void for_each_buffer(const Visitor&) {}

private:
    kernels::convolution_geometry geometry(const tensor<T>& x) const {
        return {
            .samples = samples_of(x), .input_channels = options_.inputs, .output_channels = options_.outputs};
    }

    linear_options options_;
    parameter<T> weight_;
    parameter<T> bias_;
};

}  // namespace frostline
