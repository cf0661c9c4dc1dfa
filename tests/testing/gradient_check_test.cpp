// SPDX-License-Identifier: MIT
#include "frostline/testing/gradient_check.hpp"

#include "frostline/testing/archetypes.hpp"
#include "support/catch.hpp"

#include <cmath>

using namespace frostline;

namespace {

/// Ways to get a backward pass wrong.
enum class flaw { none, input, weight, accumulates, forgets_weight, reads_input, addend, small };

/// y = relu(weight * x^2 + addend), with a running count of its passes as a buffer.
template <flaw Flaw>
struct scaled_square {
    using value_type = double;
    struct context {
        std::vector<double> x;
    };
    static constexpr backward_reads reads{.output = true};

    parameter<double> weight{.name = "scaled.weight", .shape = {1}, .initial = initialiser::constant(1)};
    buffer<double> passes{"scaled.passes", 1, 0.0};

    sample_shape output_shape(const sample_shape& input) const { return input; }
    flop_counts flops(const sample_shape&) const { return {}; }

    void forward(const tensor<double>& x, const tensor<double>& addend, tensor<double>& y,
                 context& remembered, workspace<double>&, const pass&) {
        resize(y, samples_of(x), shape_of(x));
        remembered.x.assign(x.data(), x.data() + x.size());
        passes.values[0] += 1;
        for (std::size_t i = 0; i < x.size(); ++i)
            y.data()[i] = std::max(0.0, *weight.value * x.data()[i] * x.data()[i] + addend.data()[i]);
    }
    void forward(const tensor<double>& x, tensor<double>& y, context& remembered, workspace<double>& scratch,
                 const pass& how) {
        tensor<double> zero = x;
        std::fill_n(zero.data(), zero.size(), 0.0);
        forward(x, zero, y, remembered, scratch, how);
    }

    void backward(const tensor<double>& x, const tensor<double>& y, tensor<double>& dy, context& remembered,
                  workspace<double>&, gradients, tensor<double>& dx, tensor<double>& daddend) {
        resize(dx, samples_of(y), shape_of(y));
        resize(daddend, samples_of(y), shape_of(y));
        if constexpr (Flaw != flaw::accumulates && Flaw != flaw::forgets_weight) *weight.gradient = 0;
        for (std::size_t i = 0; i < y.size(); ++i) {
            const double input = Flaw == flaw::reads_input ? x.data()[i] : remembered.x[i];
            const double slope = y.data()[i] > 0 ? dy.data()[i] : 0;
            dx.data()[i] = slope * *weight.value * input * (Flaw == flaw::input ? 3 : 2);
            if constexpr (Flaw == flaw::small) dx.data()[i] *= 1.00001;
            if constexpr (Flaw != flaw::forgets_weight)
                *weight.gradient += slope * input * (Flaw == flaw::weight ? 1 : input);
            daddend.data()[i] = Flaw == flaw::addend ? dy.data()[i] : slope;
        }
    }
    void backward(const tensor<double>& x, const tensor<double>& y, tensor<double>& dy, context& remembered,
                  workspace<double>& scratch, gradients wanted, tensor<double>& dx) {
        tensor<double> ignored;
        backward(x, y, dy, remembered, scratch, wanted, dx, ignored);
    }

    template <class Visitor>
    void for_each_parameter(Visitor&& visit) {
        visit(weight);
    }
    template <class Visitor>
    void for_each_buffer(Visitor&& visit) {
        visit(passes);
    }
};

static_assert(adding_layer<scaled_square<flaw::none>>);

template <flaw Flaw>
gradient_check_result check() {
    scaled_square<Flaw> layer;
    return check_gradients(layer, {3, 4, 5}, 2);
}

}  // namespace

TEST_CASE("a right backward pass is accepted for many seeds") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        scaled_square<flaw::none> layer;
        CHECK(check_gradients(layer, {3, 4, 5}, 2, seed).worst_error < 1e-6);
    }
    layer_archetype<double> identity;
    CHECK(check_gradients(identity, {3, 4, 5}, 2).worst_error < 1e-9);
}

TEST_CASE("a wrong backward pass is found, and where") {
    CHECK(check<flaw::input>().worst_error > 0.1);
    CHECK(check<flaw::input>().where == "input");
    CHECK(check<flaw::weight>().worst_error > 0.1);
    CHECK(check<flaw::weight>().where == "scaled.weight");
    CHECK(check<flaw::addend>().worst_error > 0.1);
    CHECK(check<flaw::addend>().where == "addend");
    CHECK(check<flaw::small>().worst_error > 1e-6);
}

TEST_CASE("a broken contract is an infinite error") {
    CHECK(std::isinf(check<flaw::accumulates>().worst_error));
    CHECK(std::isinf(check<flaw::forgets_weight>().worst_error));
    CHECK(std::isinf(check<flaw::reads_input>().worst_error));
    CHECK(check<flaw::forgets_weight>().where == "scaled.weight");
}

TEST_CASE("the checked layer is left as it was") {
    scaled_square<flaw::none> layer;
    double value = 3, gradient = 4;
    layer.weight.value = &value;
    layer.weight.gradient = &gradient;
    check_gradients(layer, {3, 4, 5}, 2);
    CHECK(layer.weight.value == &value);
    CHECK(layer.weight.gradient == &gradient);
    CHECK(value == 3);
    CHECK(gradient == 4);
    CHECK(layer.passes.values[0] == 0);
}

TEST_CASE("a checked layer that throws is left as it was, too") {
    struct throwing : scaled_square<flaw::none> {
        void forward(const tensor<double>& x, tensor<double>& y, context& remembered,
                     workspace<double>& scratch, const pass& how) {
            scaled_square<flaw::none>::forward(x, y, remembered, scratch, how);
            throw shape_error("no");
        }
        void forward(const tensor<double>& x, const tensor<double>& addend, tensor<double>& y,
                     context& remembered, workspace<double>& scratch, const pass& how) {
            scaled_square<flaw::none>::forward(x, addend, y, remembered, scratch, how);
            throw shape_error("no");
        }
    };
    throwing layer;
    double value = 3, gradient = 4;
    layer.weight.value = &value;
    layer.weight.gradient = &gradient;
    CHECK_THROWS_AS(check_gradients(layer, {3, 4, 5}, 2), shape_error);
    CHECK(layer.weight.value == &value);
    CHECK(layer.weight.gradient == &gradient);
    CHECK(layer.passes.values[0] == 0);
}

TEST_CASE("a large layer is checked at a random subset of its elements") {
    scaled_square<flaw::none> layer;
    CHECK(check_gradients(layer, {30, 20, 10}, 2, 0, 10).worst_error < 1e-6);
}
