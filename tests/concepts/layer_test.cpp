// SPDX-License-Identifier: MIT
#include "frostline/concepts/layer.hpp"

#include "frostline/compose/network.hpp"
#include "frostline/compose/residual.hpp"
#include "frostline/compose/sequence.hpp"
#include "frostline/layers/conv2d_batch_norm.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/layers/max_pool.hpp"
#include "frostline/layers/relu.hpp"
#include "frostline/testing/archetypes.hpp"
#include "support/catch.hpp"

#include <string>

using namespace frostline;

namespace {

using identity = layer_archetype<float>;

// One requirement is missing in each.
struct without_context : identity {
    struct context {
        explicit context(int) {}
    };
};
struct context_stays_in_place : identity {
    struct context {
        context() = default;
        context(const context&) = delete;
    };
};
struct whole_numbers : identity {
    using value_type = int;
};
struct declares_no_reads : identity {
    static constexpr const char* reads = "";
};
struct other_shape : identity {
    std::size_t output_shape(const sample_shape&) const { return 1; }
};
struct shape_changes_the_layer : identity {
    sample_shape output_shape(const sample_shape& input) { return input; }
};
struct costs_nothing_known : identity {
    double flops(const sample_shape&) const { return 0; }
};
struct cannot_go_back : identity {
    template <class... Arguments>
    void backward(Arguments&&...) = delete;
};
struct hides_its_parameters : identity {
    template <class Visitor>
    void for_each_parameter(Visitor&&) = delete;
};
struct hides_its_buffers : identity {
    template <class Visitor>
    void for_each_buffer(Visitor&&) = delete;
};

static_assert(layer<identity> && layer<layer_archetype<double>>);
static_assert(!layer<without_context>);
static_assert(!layer<context_stays_in_place>);
static_assert(!layer<whole_numbers>);
static_assert(!layer<declares_no_reads>);
static_assert(!layer<other_shape>);
static_assert(!layer<shape_changes_the_layer>);
static_assert(!layer<costs_nothing_known>);
static_assert(!layer<cannot_go_back>);
static_assert(!layer<hides_its_parameters>);
static_assert(!layer<hides_its_buffers>);
static_assert(!layer<int>);

static_assert(adding_layer<conv2d_batch_norm<float>>);
static_assert(adding_layer<sequence<relu<float>, conv2d_batch_norm<float>>>);
static_assert(!adding_layer<identity>);
static_assert(!adding_layer<linear<float>>);
static_assert(!adding_layer<sequence<conv2d_batch_norm<float>, max_pool<float>>>);
static_assert(layer<sequence<identity, identity>>);
static_assert(layer<residual<conv2d_batch_norm<float>, identity>>);

}  // namespace

TEST_CASE("the smallest layer goes through a sequence and a network, forward and back") {
    network<identity, sequence<identity, identity>> made({2, 3, 4}, {identity{}},
                                                         {sequence{identity{}, identity{}}});
    tensor<float> x, dy;
    resize(x, 2, {2, 3, 4});
    for (std::size_t i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i);
    CHECK(made.parameters() == 0);
    CHECK(made.output_shape() == sample_shape{2, 3, 4});
    CHECK(made.predict(x) == x);
    CHECK(made.forward(x, 0, 2, {.phase = phase::training}) == x);
    dy = x + 1;
    const tensor<float> expected = dy;
    CHECK(made.backward(x, dy, 0, 2, gradients::input) == expected);
}
