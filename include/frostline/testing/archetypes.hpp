// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"

namespace frostline::inline FROSTLINE_ISA {

/// The smallest type that models `layer`: the identity. A template that compiles with it asks for nothing
/// that the concept does not promise; a layer of one's own can start as a copy of it.
template <class T>
struct layer_archetype {
    using value_type = T;
    struct context {};
    static constexpr backward_reads reads{};

    sample_shape output_shape(const sample_shape& input) const { return input; }
    flop_counts flops(const sample_shape&) const { return {}; }

    void forward(const tensor<T>& x, tensor<T>& y, context&, workspace<T>&, const pass&) { y = x; }

    void backward(const tensor<T>&, const tensor<T>&, tensor<T>& dy, context&, workspace<T>&,
                  gradients wanted, tensor<T>& dx) {
        if (wants_input(wanted)) dx = dy;
    }

    template <class Visitor>
    void for_each_parameter(Visitor&&) {}
    template <class Visitor>
    void for_each_buffer(Visitor&&) {}
};

static_assert(layer<layer_archetype<float>>);
static_assert(layer<layer_archetype<double>>);

}  // namespace frostline
