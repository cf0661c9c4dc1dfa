// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/kernels/adaptive_pooling.hpp"
#include "frostline/layers/convolution_options.hpp"

namespace frostline::inline FROSTLINE_ISA {

/// Means over windows that are chosen so that any input gives an output of one size, as PyTorch does:
/// `adaptive_average_pool<float>{7}`. A smaller input is repeated. global_average_pool is the quicker and
/// more exact way to 1x1.
template <class T>
class adaptive_average_pool {
public:
    using value_type = T;
    struct context {
        sample_shape input;
    };
    static constexpr backward_reads reads{};

    /// @throws argument_error for an output without positions
    explicit adaptive_average_pool(extent output) : output_(output) {
        require<argument_error>(output.height > 0 && output.width > 0,
                                "adaptive_average_pool: the output must be at least 1x1, found ",
                                output.height, "x", output.width);
    }

    /// @throws shape_error for an input without positions
    sample_shape output_shape(const sample_shape& input) const {
        require<shape_error>(input.size() > 0, "adaptive_average_pool: an input of ", input, " has no mean");
        return {output_.height, output_.width, input.channels};
    }
    flop_counts flops(const sample_shape&) const { return {}; }
    std::string description() const {
        return sentence("adaptive_average_pool ", output_.height, "x", output_.width);
    }

    void forward(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>&, const pass& how) {
        const sample_shape input = shape_of(x);
        resize(y, samples_of(x), output_shape(input));
        if (remembers(how.phase)) remembered.input = input;
        kernels::adaptive_average_pool_forward(geometry(samples_of(x), input), x.data(), y.data());
    }

    void backward(const tensor<T>&, const tensor<T>&, tensor<T>& dy, context& remembered, workspace<T>&,
                  gradients wanted, tensor<T>& dx) {
        if (!wants_input(wanted)) return;
        resize(dx, samples_of(dy), remembered.input);
        kernels::adaptive_average_pool_backward(geometry(samples_of(dy), remembered.input), dy.data(),
                                                dx.data());
    }

    template <class Visitor>
    void for_each_parameter(Visitor&&) {}
    template <class Visitor>
    void for_each_buffer(Visitor&&) {}

private:
    kernels::adaptive_pooling_geometry geometry(std::size_t samples, const sample_shape& input) const {
        return {.samples = samples,
                .input_height = input.height,
                .input_width = input.width,
                .channels = input.channels,
                .output_height = output_.height,
                .output_width = output_.width};
    }

    extent output_;
};

}  // namespace frostline
