// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/kernels/pooling.hpp"
#include "frostline/layers/pooling_window.hpp"

#include <cstdint>

namespace frostline::inline FROSTLINE_ISA {

/// The largest value of each window, as `max_pool<float>{{.kernel = 3, .stride = 2, .padding = 1}}`. Padding
/// never wins; of equal values the first gets the gradient, as in PyTorch.
template <class T>
class max_pool {
public:
    using value_type = T;
    struct context {
        sample_shape input;
        aligned_vector<std::uint16_t> argmax;  ///< for each output its input's place in the window
    };
    static constexpr backward_reads reads{};

    /// @throws argument_error for a window that pooling_window::checked refuses
    explicit max_pool(pooling_window window = {}) : window_(window.checked("max_pool")) {}

    /// @throws shape_error where the window does not fit
    sample_shape output_shape(const sample_shape& input) const {
        return window_.output_shape("max_pool", input);
    }
    flop_counts flops(const sample_shape&) const { return {}; }
    std::size_t remembered_bytes(const sample_shape& input) const {
        return output_shape(input).size() * sizeof(std::uint16_t);
    }
    std::string description() const { return window_.description("max_pool"); }

    void forward(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>&, const pass& how) {
        const sample_shape input = shape_of(x), output = output_shape(input);
        resize(y, samples_of(x), output);
        std::uint16_t* argmax = nullptr;
        if (remembers(how.phase)) {
            remembered.input = input;
            remembered.argmax.resize(y.size());
            argmax = remembered.argmax.data();
        }
        kernels::max_pool_forward(window_.geometry(samples_of(x), input, output), x.data(), y.data(), argmax);
    }

    void backward(const tensor<T>&, const tensor<T>&, tensor<T>& dy, context& remembered, workspace<T>&,
                  gradients wanted, tensor<T>& dx) {
        if (!wants_input(wanted)) return;
        resize(dx, samples_of(dy), remembered.input);
        kernels::max_pool_backward(window_.geometry(samples_of(dy), remembered.input, shape_of(dy)),
                                   dy.data(), remembered.argmax.data(), dx.data());
    }

    template <class Visitor>
    void for_each_parameter(Visitor&&) {}
    template <class Visitor>
    void for_each_buffer(Visitor&&) {}

private:
    pooling_window window_;
};

}  // namespace frostline
