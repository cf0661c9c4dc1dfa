// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/kernels/pooling.hpp"

namespace frostline::inline FROSTLINE_ISA {

/// The mean over all positions: (height, width, channels) becomes (1, 1, channels).
template <class T>
class global_average_pool {
public:
    using value_type = T;
    struct context {
        sample_shape input;
    };
    static constexpr backward_reads reads{};

    /// @throws shape_error for an input without positions
    sample_shape output_shape(const sample_shape& input) const {
        require<shape_error>(input.size() > 0, "global_average_pool: an input of ", input, " has no mean");
        return {1, 1, input.channels};
    }
    flop_counts flops(const sample_shape&) const { return {}; }
    std::string description() const { return "global_average_pool"; }

    void forward(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>&, const pass& how) {
        const sample_shape input = shape_of(x);
        resize(y, samples_of(x), output_shape(input));
        if (remembers(how.phase)) remembered.input = input;
        kernels::global_average_pool_forward(samples_of(x), input.height * input.width, input.channels,
                                             x.data(), y.data());
    }

    void backward(const tensor<T>&, const tensor<T>&, tensor<T>& dy, context& remembered, workspace<T>&,
                  gradients wanted, tensor<T>& dx) {
        if (!wants_input(wanted)) return;
        const sample_shape& input = remembered.input;
        resize(dx, samples_of(dy), input);
        kernels::global_average_pool_backward(samples_of(dy), input.height * input.width, input.channels,
                                              dy.data(), dx.data());
    }

    template <class Visitor>
    void for_each_parameter(Visitor&&) {}
    template <class Visitor>
    void for_each_buffer(Visitor&&) {}
};

}  // namespace frostline
