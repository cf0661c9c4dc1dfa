// SPDX-License-Identifier: MIT
#include "frostline/layers/conv2d.hpp"

#include "frostline/testing/gradient_check.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/standalone.hpp"

using namespace frostline;
using standalone::bound_layer;
using standalone::distance;
using standalone::random_tensor;
using standalone::same_bits;

static_assert(layer<conv2d<float>> && layer<conv2d<double>>);
static_assert(!adding_layer<conv2d<float>>);

namespace {

struct convolution_case {
    sample_shape input;
    std::size_t outputs;
    extent kernel;
    extent stride = 1;
    extent padding = 0;
    bool bias = true;
    std::size_t samples = 3;
};

// Odd and even sizes, strides that leave a rest, padding beyond the kernel's half, as few and as many
// channels as the engines tell apart.
const std::vector<convolution_case> cases{
    {.input = {5, 7, 3}, .outputs = 4, .kernel = 3},
    {.input = {5, 7, 3}, .outputs = 4, .kernel = 3, .padding = 1, .bias = false},
    {.input = {6, 9, 2}, .outputs = 5, .kernel = 3, .stride = 2, .padding = 1},
    {.input = {8, 8, 3}, .outputs = 6, .kernel = 5, .stride = 3, .padding = 2, .bias = false},
    {.input = {7, 5, 3}, .outputs = 2, .kernel = {1, 3}, .padding = {0, 1}},
    {.input = {7, 6, 2}, .outputs = 3, .kernel = {4, 2}, .stride = {1, 2}, .padding = {2, 0}},
    {.input = {3, 3, 2}, .outputs = 3, .kernel = 3, .stride = 2, .padding = 2},
    {.input = {4, 5, 6}, .outputs = 7, .kernel = 1, .bias = false},
    {.input = {5, 5, 6}, .outputs = 7, .kernel = 1, .stride = 2},
    {.input = {1, 1, 9}, .outputs = 5, .kernel = 3, .padding = 1},
    {.input = {4, 4, 1}, .outputs = 1, .kernel = 4},
    {.input = {5, 6, 17}, .outputs = 33, .kernel = 3, .padding = 1},
    {.input = {17, 19, 8}, .outputs = 12, .kernel = 3, .padding = 1, .samples = 2},
    {.input = {5, 6, 70}, .outputs = 20, .kernel = 3, .stride = 2, .padding = 1, .bias = false},
};

template <class T>
conv2d<T> make(const convolution_case& of) {
    return conv2d<T>({.name = "conv",
                      .input_channels = of.input.channels,
                      .output_channels = of.outputs,
                      .kernel = of.kernel,
                      .stride = of.stride,
                      .padding = of.padding},
                     of.bias);
}

}  // namespace

TEST_CASE("conv2d's backward pass gives the gradients of its forward pass") {
    for (std::size_t number = 0; number < cases.size(); ++number) {
        auto checked = make<double>(cases[number]);
        const auto result = check_gradients(checked, cases[number].input, cases[number].samples);
        INFO("case " << number << ": " << result.where);
        CHECK(result.worst_error < 1e-6);
    }
}

TEST_CASE("conv2d gives PyTorch's output and gradients") {
    const auto file = golden::load("layers");
    const auto& expected = file.at("layers").at("conv2d").at("expected");
    std::map<std::string, golden::json> inputs;
    for (const auto& entry : file.at("layers").at("conv2d").at("inputs")) inputs[entry.at("name")] = entry;

    bound_layer convolution(
        make<double>({.input = {7, 5, 3}, .outputs = 4, .kernel = 3, .stride = 2, .padding = 1}));
    const auto weight_order = golden::convolution_order({4, 3, 3, 3});
    golden::generate(inputs.at("conv2d.weight"), weight_order,
                     convolution.parameter_called("conv.weight").value);
    golden::generate(inputs.at("conv2d.bias"), {0, 1, 2, 3}, convolution.parameter_called("conv.bias").value);
    const auto x = golden::activations<double>(inputs.at("conv2d.x"));
    const auto y = convolution.forward(x, phase::training);
    const auto dx = convolution.backward(x, y, golden::activations<double>(inputs.at("conv2d.dy")));

    const auto wanted = [&](const char* name, const std::vector<std::size_t>& order) {
        return golden::permuted(expected.at(name).at("values"), order);
    };
    CHECK(distance(y, wanted("y", golden::activation_order({2, 4, 4, 3}))) < 1e-12);
    CHECK(distance(convolution.forward(x, phase::inference),
                   wanted("y", golden::activation_order({2, 4, 4, 3}))) < 1e-12);
    CHECK(distance(dx, wanted("dx", golden::activation_order({2, 3, 7, 5}))) < 1e-12);
    CHECK(distance(convolution.gradient("conv.weight"), wanted("dweight", weight_order)) < 1e-12);
    CHECK(distance(convolution.gradient("conv.bias"), wanted("dbias", {0, 1, 2, 3})) < 1e-12);
}

TEST_CASE("conv2d in float follows double") {
    for (std::size_t number = 0; number < cases.size(); ++number) {
        INFO("case " << number);
        const auto& of = cases[number];
        bound_layer single(make<float>(of));
        bound_layer exact(make<double>(of));
        const auto x = random_tensor<float>(of.samples, of.input, "x");
        const auto exact_x = random_tensor<double>(of.samples, of.input, "x");
        const auto y = single.forward(x, phase::training);
        const auto exact_y = exact.forward(exact_x, phase::training);
        CHECK(distance(y, exact_y) < 1e-5);
        CHECK(distance(single.forward(x, phase::inference), exact_y) < 1e-5);
        const auto dx = single.backward(x, y, random_tensor<float>(of.samples, shape_of(y), "dy"));
        const auto exact_dx =
            exact.backward(exact_x, exact_y, random_tensor<double>(of.samples, shape_of(y), "dy"));
        CHECK(distance(dx, exact_dx) < 1e-5);
        CHECK(distance(single.gradient("conv.weight"), exact.gradient("conv.weight")) < 1e-5);
        if (of.bias) CHECK(distance(single.gradient("conv.bias"), exact.gradient("conv.bias")) < 1e-5);
    }
}

TEST_CASE("conv2d in inference gives a sample the same bits in any batch and position") {
    for (std::size_t number = 0; number < cases.size(); ++number) {
        INFO("case " << number);
        bound_layer convolution(make<float>(cases[number]));
        CHECK(inference_depends_on_the_sample_alone(convolution, cases[number].input));
    }
}

TEST_CASE("conv2d computes the gradients that are wanted and leaves the others alone") {
    const auto& of = cases[2];
    bound_layer convolution(make<double>(of));
    const auto x = random_tensor<double>(of.samples, of.input, "x");
    const auto y = convolution.forward(x, phase::training);
    const auto dy = random_tensor<double>(of.samples, shape_of(y), "dy");
    const auto dx = convolution.backward(x, y, dy, gradients::both);
    const auto dweight = convolution.gradient("conv.weight");
    const auto dbias = convolution.gradient("conv.bias");

    auto& weight = convolution.parameter_called("conv.weight");
    std::fill_n(weight.gradient, weight.size(), 7.0);
    CHECK(same_bits(convolution.backward(x, y, dy, gradients::input), dx));
    CHECK(convolution.gradient("conv.weight") == std::vector<double>(weight.size(), 7.0));
    CHECK(convolution.backward(x, y, dy, gradients::parameters).size() == 0);
    CHECK(convolution.gradient("conv.weight") == dweight);
    CHECK(convolution.gradient("conv.bias") == dbias);
}

TEST_CASE("conv2d knows its output shape and its cost") {
    const auto convolution = make<float>(
        {.input = {6, 9, 2}, .outputs = 5, .kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 0}});
    CHECK(convolution.output_shape({6, 9, 2}) == sample_shape{3, 3, 5});
    const std::uint64_t flops = 2 * (3 * 3) * (3 * 2 * 2) * 5;
    CHECK(convolution.flops({6, 9, 2}) == flop_counts{flops, flops, flops});
}

TEST_CASE("conv2d's parameters are HWIO weights that decay and a bias that does not") {
    bound_layer with_bias(make<float>({.input = {5, 5, 3}, .outputs = 4, .kernel = {2, 3}}));
    const auto& weight = with_bias.parameter_called("conv.weight");
    CHECK(weight.shape == std::vector<std::size_t>{2, 3, 3, 4});
    CHECK(weight.decays);
    CHECK(weight.initial.kind == initialiser::distribution::normal);
    CHECK(weight.initial.scale == Catch::Approx(std::sqrt(2.0 / (2 * 3 * 4))));
    CHECK(with_bias.parameter_called("conv.bias").shape == std::vector<std::size_t>{4});
    CHECK_FALSE(with_bias.parameter_called("conv.bias").decays);
    bound_layer without(make<float>({.input = {5, 5, 3}, .outputs = 4, .kernel = 3, .bias = false}));
    CHECK_THROWS_AS(without.parameter_called("conv.bias"), std::out_of_range);
}

TEST_CASE("conv2d rejects what does not fit in one sentence") {
    const auto convolution =
        make<float>({.input = {5, 5, 3}, .outputs = 4, .kernel = {3, 5}, .padding = {0, 1}});
    CHECK_THROWS_AS(convolution.output_shape({5, 5, 2}), shape_error);
    CHECK_THROWS_WITH(convolution.output_shape({5, 5, 2}),
                      "convolution 'conv' takes 3 channels, but its input 5x5x2 has 2");
    CHECK_THROWS_AS(convolution.output_shape({3, 2, 3}), shape_error);
    CHECK_THROWS_WITH(convolution.output_shape({3, 2, 3}),
                      "convolution 'conv': a 3x5 kernel does not fit the input 3x2x3 with padding 0x1");
    bound_layer bound(make<float>(cases[0]));
    CHECK_THROWS_AS(bound.forward(random_tensor<float>(2, {5, 7, 4}, "x"), phase::training), shape_error);

    const auto zero = "convolution 'zero': channels, kernel and stride must be at least 1";
    using options = convolution_options;
    CHECK_THROWS_WITH(conv2d<float>(options{.name = "zero", .input_channels = 0}), zero);
    CHECK_THROWS_WITH(conv2d<float>(options{.name = "zero", .output_channels = 0}), zero);
    CHECK_THROWS_WITH(conv2d<float>(options{.name = "zero", .kernel = {3, 0}}), zero);
    CHECK_THROWS_WITH(conv2d<float>(options{.name = "zero", .stride = {0, 1}}), zero);
    CHECK_THROWS_AS(conv2d<float>(options{.name = "zero", .stride = 0}), argument_error);
}
