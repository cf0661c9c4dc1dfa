// SPDX-License-Identifier: MIT
#include "frostline/compose/residual.hpp"

#include "frostline/compose/sequence.hpp"
#include "frostline/layers/conv2d_batch_norm.hpp"
#include "frostline/testing/gradient_check.hpp"
#include "support/catch.hpp"
#include "support/standalone.hpp"

#include <type_traits>

using namespace frostline;
using standalone::bound_layer;
using standalone::distance;
using standalone::random_tensor;
using standalone::same_bits;

namespace {

template <class T>
using main_path = sequence<conv2d_batch_norm<T>, conv2d_batch_norm<T>>;
template <class T>
using projection = conv2d_batch_norm<T, activation::none>;
template <class T>
using basic_block = residual<main_path<T>, projection<T>>;

conv2d_batch_norm_options options(const std::string& name, std::size_t inputs, std::size_t outputs,
                                  std::size_t kernel, std::size_t stride) {
    return {.convolution = {.name = name + ".conv",
                            .input_channels = inputs,
                            .output_channels = outputs,
                            .kernel = kernel,
                            .stride = stride,
                            .padding = kernel / 2},
            .norm_name = name + ".norm"};
}

template <class T>
basic_block<T> identity_block(std::size_t channels) {
    return basic_block<T>{main_path<T>{conv2d_batch_norm<T>{options("one", channels, channels, 3, 1)},
                                       conv2d_batch_norm<T>{options("two", channels, channels, 3, 1)}}};
}
template <class T>
basic_block<T> projection_block(std::size_t inputs, std::size_t outputs, std::size_t stride) {
    return basic_block<T>{main_path<T>{conv2d_batch_norm<T>{options("one", inputs, outputs, 3, stride)},
                                       conv2d_batch_norm<T>{options("two", outputs, outputs, 3, 1)}},
                          projection<T>{options("short", inputs, outputs, 1, stride)}};
}

/// main path, then the sum with the shortcut, then ReLU.
template <class T>
tensor<T> by_hand(bound_layer<basic_block<T>>& block, const tensor<T>& x, phase how, bool projects,
                  std::size_t inputs, std::size_t outputs, std::size_t stride) {
    bound_layer one(conv2d_batch_norm<T>{options("one", inputs, outputs, 3, stride)});
    bound_layer two(projection<T>{options("two", outputs, outputs, 3, 1)});
    bound_layer shortcut(projection<T>{options("short", inputs, outputs, 1, stride)});
    // The same running statistics.
    const auto take = [&](auto& layer) {
        layer.itself.for_each_buffer([&](buffer<T>& item) {
            const auto values = block.statistics(item.name);
            if (!values.empty()) std::copy(values.begin(), values.end(), item.values.begin());
        });
    };
    take(one), take(two), take(shortcut);
    auto y = two.forward(one.forward(x, how), how);
    const auto addend = projects ? shortcut.forward(x, how) : x;
    for (std::size_t i = 0; i < y.size(); ++i) y.data()[i] = std::max(T{0}, y.data()[i] + addend.data()[i]);
    return y;
}

}  // namespace

static_assert(layer<basic_block<float>> && layer<basic_block<double>>);
static_assert(basic_block<float>::reads.input && basic_block<float>::reads.output);
// Both kinds are one type, so that a stage of blocks is a vector.
static_assert(std::is_same_v<decltype(identity_block<float>(1)), decltype(projection_block<float>(1, 2, 2))>);

TEST_CASE("a residual block's backward pass gives the gradients of its forward pass") {
    const auto check = [](auto checked, const sample_shape& input, std::size_t samples) {
        for (const auto during : {phase::training, phase::frozen}) {
            const auto result = check_gradients(checked, input, samples, 0, 100, during);
            INFO(result.where);
            CHECK(result.worst_error < 1e-6);
        }
    };
    SECTION("without a shortcut layer") { check(identity_block<double>(3), {4, 5, 3}, 3); }
    SECTION("with one") { check(projection_block<double>(2, 5, 2), {5, 6, 2}, 4); }
    SECTION("with one and the same shape") { check(projection_block<double>(3, 3, 1), {4, 3, 3}, 3); }
    SECTION("with the main path alone in one layer") {
        check(residual<conv2d_batch_norm<double>, projection<double>>{conv2d_batch_norm<double>{
                  options("one", 3, 3, 3, 1)}},
              {3, 4, 3}, 3);
    }
    SECTION("inside a sequence") {
        check(sequence(projection_block<double>(2, 3, 2),
                       sequence(residual<conv2d_batch_norm<double>, projection<double>>{
                           conv2d_batch_norm<double>{options("three", 3, 3, 3, 1)}})),
              {6, 6, 2}, 3);
    }
}

TEST_CASE("a residual block equals main path, sum and ReLU by hand") {
    for (const bool projects : {false, true}) {
        const std::size_t outputs = projects ? 5 : 3, stride = projects ? 2 : 1;
        bound_layer block(projects ? projection_block<double>(3, outputs, stride)
                                   : identity_block<double>(3));
        const auto x = random_tensor<double>(3, {5, 6, 3}, "x");
        // By hand first: training moves the block's running statistics.
        const auto expected = by_hand(block, x, phase::training, projects, 3, outputs, stride);
        CHECK(distance(block.forward(x, phase::training), expected) < 1e-12);
        const auto expected_inference = by_hand(block, x, phase::inference, projects, 3, outputs, stride);
        CHECK(distance(block.forward(x, phase::inference), expected_inference) < 1e-12);
    }
}

TEST_CASE("a residual block computes the gradients that are wanted and leaves the others alone") {
    for (const bool projects : {false, true}) {
        bound_layer block(projects ? projection_block<double>(3, 4, 2) : identity_block<double>(3));
        const auto x = random_tensor<double>(3, {5, 4, 3}, "x");
        const auto y = block.forward(x, phase::training);
        const auto dy = random_tensor<double>(3, shape_of(y), "dy");
        const auto dx = block.backward(x, y, dy, gradients::both);
        const auto dfirst = block.gradient("one.conv.weight");

        block.itself.for_each_parameter(
            [](parameter<double>& item) { std::fill_n(item.gradient, item.size(), 7.0); });
        block.forward(x, phase::training);
        CHECK(same_bits(block.backward(x, y, dy, gradients::input), dx));
        block.itself.for_each_parameter([](parameter<double>& item) {
            CHECK(std::all_of(item.gradient, item.gradient + item.size(),
                              [](double value) { return value == 7; }));
        });
        block.forward(x, phase::training);
        block.backward(x, y, dy, gradients::parameters);
        CHECK(block.gradient("one.conv.weight") == dfirst);
    }
}

TEST_CASE("a residual block in inference gives a sample the same bits in any batch and position") {
    bound_layer identity(identity_block<float>(8));
    CHECK(inference_depends_on_the_sample_alone(identity, {5, 6, 8}));
    bound_layer projecting(projection_block<float>(8, 16, 2));
    CHECK(inference_depends_on_the_sample_alone(projecting, {5, 6, 8}));
}

TEST_CASE("a residual block whose paths differ in shape is a shape error that names both") {
    const basic_block<float> wider{main_path<float>{conv2d_batch_norm<float>{options("one", 3, 4, 3, 2)},
                                                    conv2d_batch_norm<float>{options("two", 4, 4, 3, 1)}}};
    CHECK_THROWS_AS(wider.output_shape({6, 6, 3}), shape_error);
    CHECK_THROWS_WITH(wider.output_shape({6, 6, 3}),
                      "residual: the main path gives 3x3x4, but the shortcut gives 6x6x3");
}

TEST_CASE("a residual block counts and visits its shortcut layer only where there is one") {
    const sample_shape input{6, 6, 3};
    const std::uint64_t main_flops = 2 * 3 * 3 * 9 * (3 * 4 + 4 * 4), shortcut_flops = 2 * 3 * 3 * 3 * 4;
    auto projecting = projection_block<float>(3, 4, 2);
    CHECK(projecting.flops(input).forward == main_flops + shortcut_flops);
    CHECK(identity_block<float>(3).flops(input).forward == 2 * 2 * 6 * 6 * 9 * 3 * 3);
    const auto names = [](auto& block) {
        std::vector<std::string> found;
        block.for_each_parameter([&](const auto& item) { found.push_back(item.name); });
        block.for_each_buffer([&](const auto& item) { found.push_back(item.name); });
        return found;
    };
    CHECK(names(projecting).size() == 9 + 6);
    CHECK(names(projecting)[6] == "short.conv.weight");
    auto identity = identity_block<float>(3);
    CHECK(names(identity).size() == 6 + 4);
}
