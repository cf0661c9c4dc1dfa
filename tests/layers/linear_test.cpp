// SPDX-License-Identifier: MIT
#include "frostline/layers/linear.hpp"

#include "frostline/testing/gradient_check.hpp"
#include "support/catch.hpp"
#include "support/standalone.hpp"

using namespace frostline;
using standalone::bound_layer;
using standalone::distance;
using standalone::random_tensor;
using standalone::same_bits;

static_assert(layer<linear<float>> && layer<linear<double>>);

TEST_CASE("linear's backward pass gives the gradients of its forward pass") {
    struct linear_case {
        sample_shape input;
        std::size_t outputs;
        std::size_t samples;
    };
    const std::vector<linear_case> cases{{{1, 1, 7}, 5, 4},   {{1, 1, 1}, 1, 2},    {{3, 2, 5}, 10, 3},
                                         {{1, 1, 64}, 33, 5}, {{1, 1, 150}, 70, 1}, {{1, 1, 3}, 2, 40}};
    for (const auto& of : cases) {
        linear<double> checked({.name = "fc", .inputs = of.input.size(), .outputs = of.outputs});
        const auto result = check_gradients(checked, of.input, of.samples);
        INFO(of.input << " to " << of.outputs << ": " << result.where);
        CHECK(result.worst_error < 1e-6);
    }
}

TEST_CASE("linear computes x W + b on the flattened sample") {
    bound_layer fc(linear<double>({.name = "fc", .inputs = 12, .outputs = 5}));
    const auto x = random_tensor<double>(4, {2, 3, 2}, "x");
    const auto weight = fc.value("fc.weight");
    const auto bias = fc.value("fc.bias");
    std::vector<double> expected;
    for (std::size_t row = 0; row < 4; ++row)
        for (std::size_t out = 0; out < 5; ++out) {
            double sum = bias[out];
            for (std::size_t in = 0; in < 12; ++in) sum += x.data()[row * 12 + in] * weight[in * 5 + out];
            expected.push_back(sum);
        }
    for (const auto how : {phase::training, phase::inference}) {
        const auto y = fc.forward(x, how);
        CHECK(shape_of(y) == sample_shape{1, 1, 5});
        CHECK(distance(y, expected) < 1e-14);
    }
}

TEST_CASE("linear in float follows double") {
    for (const std::size_t inputs : {7u, 64u, 512u}) {
        const linear_options options{.name = "fc", .inputs = inputs, .outputs = 10};
        bound_layer single(linear<float>{options});
        bound_layer exact(linear<double>{options});
        const auto x = random_tensor<float>(6, {1, 1, inputs}, "x");
        const auto exact_x = random_tensor<double>(6, {1, 1, inputs}, "x");
        const auto y = single.forward(x, phase::training);
        const auto exact_y = exact.forward(exact_x, phase::training);
        CHECK(distance(y, exact_y) < 1e-5);
        const auto dx = single.backward(x, y, random_tensor<float>(6, {1, 1, 10}, "dy"));
        CHECK(distance(dx, exact.backward(exact_x, exact_y, random_tensor<double>(6, {1, 1, 10}, "dy"))) <
              1e-5);
        CHECK(distance(single.gradient("fc.weight"), exact.gradient("fc.weight")) < 1e-5);
        CHECK(distance(single.gradient("fc.bias"), exact.gradient("fc.bias")) < 1e-5);
    }
}

TEST_CASE("linear in inference gives a sample the same bits in any batch and position") {
    for (const std::size_t inputs : {3u, 84u, 512u})
        for (const std::size_t outputs : {1u, 10u, 120u}) {
            INFO(inputs << " to " << outputs);
            bound_layer fc(linear<float>({.name = "fc", .inputs = inputs, .outputs = outputs}));
            CHECK(inference_depends_on_the_sample_alone(fc, {1, 1, inputs}));
        }
}

TEST_CASE("linear computes the gradients that are wanted and leaves the others alone") {
    bound_layer fc(linear<double>({.name = "fc", .inputs = 6, .outputs = 3}));
    const auto x = random_tensor<double>(5, {1, 2, 3}, "x");
    const auto y = fc.forward(x, phase::training);
    const auto dy = random_tensor<double>(5, {1, 1, 3}, "dy");
    const auto dx = fc.backward(x, y, dy, gradients::both);
    CHECK(shape_of(dx) == sample_shape{1, 2, 3});
    const auto dweight = fc.gradient("fc.weight");

    auto& weight = fc.parameter_called("fc.weight");
    std::fill_n(weight.gradient, weight.size(), 7.0);
    CHECK(same_bits(fc.backward(x, y, dy, gradients::input), dx));
    CHECK(fc.gradient("fc.weight") == std::vector<double>(18, 7.0));
    CHECK(fc.backward(x, y, dy, gradients::parameters).size() == 0);
    CHECK(fc.gradient("fc.weight") == dweight);
}

TEST_CASE("linear starts like torch unless told otherwise") {
    bound_layer standard(linear<float>({.name = "fc", .inputs = 16, .outputs = 4}));
    for (const auto* name : {"fc.weight", "fc.bias"}) {
        CHECK(standard.parameter_called(name).initial.kind == initialiser::distribution::uniform);
        CHECK(standard.parameter_called(name).initial.scale == 0.25);
    }
    CHECK(standard.parameter_called("fc.weight").shape == std::vector<std::size_t>{16, 4});
    CHECK(standard.parameter_called("fc.weight").decays);
    CHECK_FALSE(standard.parameter_called("fc.bias").decays);

    bound_layer chosen(
        linear<float>({.name = "fc", .inputs = 16, .outputs = 4, .initial = initialiser::normal(0.01)}));
    CHECK(chosen.parameter_called("fc.weight").initial.kind == initialiser::distribution::normal);
    CHECK(chosen.parameter_called("fc.bias").initial.kind == initialiser::distribution::constant);
    CHECK(chosen.parameter_called("fc.bias").initial.scale == 0);
}

TEST_CASE("linear knows its cost") {
    const linear<float> fc({.name = "fc", .inputs = 12, .outputs = 5});
    CHECK(fc.flops({2, 3, 2}) == flop_counts{120, 120, 120});
    CHECK(fc.output_shape({2, 3, 2}) == sample_shape{1, 1, 5});
}

TEST_CASE("linear rejects what does not fit in one sentence") {
    bound_layer fc(linear<float>({.name = "fc", .inputs = 12, .outputs = 5}));
    CHECK_THROWS_AS(fc.itself.output_shape({2, 3, 3}), shape_error);
    CHECK_THROWS_WITH(fc.itself.output_shape({2, 3, 3}),
                      "linear 'fc' takes 12 values a sample, but its input 2x3x3 has 18");
    CHECK_THROWS_AS(fc.forward(random_tensor<float>(2, {1, 1, 11}, "x"), phase::inference), shape_error);
    CHECK_THROWS_WITH(linear<float>({.name = "fc", .inputs = 0}),
                      "linear 'fc': inputs and outputs must be at least 1");
    CHECK_THROWS_AS(linear<float>({.name = "fc", .inputs = 3, .outputs = 0}), argument_error);
}
