// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/kernels/pooling.hpp"
#include "frostline/layers/pooling_window.hpp"

namespace frostline::inline FROSTLINE_ISA {

/// The mean of each window, padding counted as zeros, as PyTorch does by default:
/// `average_pool<float>{{.kernel = 3, .stride = 2, .padding = 1}}`.
template <class T>
class average_pool {
public:
    using value_type = T;
    struct context {
        sample_shape input;
    };
    static constexpr backward_reads reads{};

    /// @throws argument_error for a window that pooling_window::checked refuses
    explicit average_pool(pooling_window window = {}) : window_(window.checked("average_pool")) {}

    /// @throws shape_error where the window does not fit
    sample_shape output_shape(const sample_shape& input) const {
        return window_.output_shape("average_pool", input);
    }
    flop_counts flops(const sample_shape&) const { return {}; }
    std::string description() const { return window_.description("average_pool"); }

    void forward(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>&, const pass& how) {
        const sample_shape input = shape_of(x), output = output_shape(input);
        resize(y, samples_of(x), output);
        if (remembers(how.phase)) remembered.input = input;
        kernels::average_pool_forward(window_.geometry(samples_of(x), input, output), x.data(), y.data());
    }

    void backward(const tensor<T>&, const tensor<T>&, tensor<T>& dy, context& remembered, workspace<T>&,
                  gradients wanted, tensor<T>& dx) {
        if (!wants_input(wanted)) return;
        resize(dx, samples_of(dy), remembered.input);
        kernels::average_pool_backward(window_.geometry(samples_of(dy), remembered.input, shape_of(dy)),
                                       dy.data(), dx.data());
    }

    template <class Visitor>
    void for_each_parameter(Visitor&&) {}
    template <class Visitor>
    void for_each_buffer(Visitor&&) {}

private:
    pooling_window window_;
};

}  // namespace frostline
