// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/parallel.hpp"

namespace frostline::inline FROSTLINE_ISA {

/// y = max(x, 0), element by element; NaN stays NaN.
template <class T>
class relu {
public:
    using value_type = T;
    struct context {};
    static constexpr backward_reads reads{.output = true};

    sample_shape output_shape(const sample_shape& input) const { return input; }
    flop_counts flops(const sample_shape&) const { return {}; }
    std::string description() const { return "relu"; }

    void forward(const tensor<T>& x, tensor<T>& y, context&, workspace<T>&, const pass&) {
        resize(y, samples_of(x), shape_of(x));
        const T* in = x.data();
        T* out = y.data();
        parallel_ranges(x.size(), grain, [=](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) out[i] = in[i] < 0 ? T{0} : in[i];
        });
    }

    void backward(const tensor<T>&, const tensor<T>& y, tensor<T>& dy, context&, workspace<T>&,
                  gradients wanted, tensor<T>& dx) {
        if (!wants_input(wanted)) return;
        resize(dx, samples_of(y), shape_of(y));
        const T *out = y.data(), *gradient = dy.data();
        T* result = dx.data();
        parallel_ranges(y.size(), grain, [=](std::size_t begin, std::size_t end) {
            for (std::size_t i = begin; i < end; ++i) result[i] = out[i] <= 0 ? T{0} : gradient[i];
        });
    }

    template <class Visitor>
    void for_each_parameter(Visitor&&) {}
    template <class Visitor>
    void for_each_buffer(Visitor&&) {}

private:
    static constexpr std::size_t grain = 16384;
};

}  // namespace frostline
