// SPDX-License-Identifier: MIT
// expect: frostline: a layer needs backward\(x, y, dy, context, workspace, wanted, dx\)
// expect: frostline: a layer needs flops\(sample_shape\) const, returning flop_counts
#include "frostline/concepts/layer.hpp"

struct halfway {
    using value_type = float;
    struct context {};
    static constexpr frostline::backward_reads reads{};
    frostline::sample_shape output_shape(const frostline::sample_shape& input) const { return input; }
    void forward(const frostline::tensor<float>&, frostline::tensor<float>&, context&,
                 frostline::workspace<float>&, const frostline::pass&) {}
    template <class Visitor>
    void for_each_parameter(const Visitor&) {}
    template <class Visitor>
    void for_each_buffer(const Visitor&) {}
};
static_assert(frostline::explain_layer<halfway>());
