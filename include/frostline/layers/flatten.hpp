// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/parallel.hpp"

#include <algorithm>

namespace frostline::inline FROSTLINE_ISA {

/// Makes each sample one vector: (height, width, channels) becomes (1, 1, height * width * channels),
/// channels fastest. PyTorch's flatten of NCHW has the width fastest: weights of a linear layer behind it are
/// permuted on exchange.
template <class T>
class flatten {
public:
    using value_type = T;
    struct context {
        sample_shape input;
    };
    static constexpr backward_reads reads{};

    sample_shape output_shape(const sample_shape& input) const { return {1, 1, input.size()}; }
    flop_counts flops(const sample_shape&) const { return {}; }
    std::string description() const { return "flatten"; }

    void forward(const tensor<T>& x, tensor<T>& y, context& remembered, workspace<T>&, const pass& how) {
        if (remembers(how.phase)) remembered.input = shape_of(x);
        resize(y, samples_of(x), output_shape(shape_of(x)));
        copy(x, y);
    }

    void backward(const tensor<T>&, const tensor<T>&, tensor<T>& dy, context& remembered, workspace<T>&,
                  gradients wanted, tensor<T>& dx) {
        if (!wants_input(wanted)) return;
        resize(dx, samples_of(dy), remembered.input);
        copy(dy, dx);
    }

    template <class Visitor>
    void for_each_parameter(Visitor&&) {}
    template <class Visitor>
    void for_each_buffer(Visitor&&) {}

private:
    static void copy(const tensor<T>& from, tensor<T>& to) {
        parallel_ranges(from.size(), 16384, [&](std::size_t begin, std::size_t end) {
            std::copy(from.data() + begin, from.data() + end, to.data() + begin);
        });
    }
};

}  // namespace frostline
