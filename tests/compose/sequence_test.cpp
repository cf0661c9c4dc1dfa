// SPDX-License-Identifier: MIT
#include "frostline/compose/sequence.hpp"

#include "frostline/layers/batch_norm.hpp"
#include "frostline/layers/conv2d.hpp"
#include "frostline/layers/conv2d_batch_norm.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/layers/max_pool.hpp"
#include "frostline/layers/relu.hpp"
#include "frostline/testing/archetypes.hpp"
#include "frostline/testing/gradient_check.hpp"
#include "support/catch.hpp"
#include "support/standalone.hpp"

using namespace frostline;
using standalone::bound_layer;
using standalone::random_tensor;
using standalone::same_bits;

namespace {

template <class T>
conv2d<T> convolution(const std::string& name, std::size_t inputs, std::size_t outputs) {
    return conv2d<T>(
        {.name = name, .input_channels = inputs, .output_channels = outputs, .kernel = 3, .padding = 1});
}

template <class T, activation Activation = activation::relu>
conv2d_batch_norm<T, Activation> normalised(const std::string& name, std::size_t inputs, std::size_t outputs,
                                            std::size_t stride = 1) {
    // Named, since g++ 12 warns of an uninitialised string in the temporary.
    conv2d_batch_norm_options options;
    options.convolution = {.name = name + ".conv",
                           .input_channels = inputs,
                           .output_channels = outputs,
                           .kernel = 3,
                           .stride = stride,
                           .padding = 1};
    options.norm_name = name + ".norm";
    return conv2d_batch_norm<T, Activation>(options);
}

template <class T>
auto small() {
    return sequence(convolution<T>("first", 2, 3), relu<T>{}, max_pool<T>{{.kernel = 2}},
                    linear<T>({.name = "last", .inputs = 12, .outputs = 4}));
}
constexpr sample_shape small_input{4, 5, 2};

}  // namespace

static_assert(layer<sequence<layer_archetype<float>, layer_archetype<float>>>);
static_assert(!adding_layer<sequence<conv2d_batch_norm<float>, relu<float>>>);
static_assert(adding_layer<sequence<relu<float>, conv2d_batch_norm<float>>>);
static_assert(sequence<conv2d<float>, relu<float>>::reads.input &&
              sequence<conv2d<float>, relu<float>>::reads.output);
static_assert(!sequence<max_pool<float>, conv2d<float>>::reads.input);
static_assert(!sequence<relu<float>, conv2d<float>>::reads.output);

TEST_CASE("a sequence's backward pass gives the gradients of its forward pass") {
    const auto check = [](auto checked, const sample_shape& input, std::size_t samples) {
        for (const auto during : {phase::training, phase::frozen}) {
            const auto result = check_gradients(checked, input, samples, 0, 100, during);
            INFO(result.where);
            CHECK(result.worst_error < 1e-6);
        }
    };
    SECTION("of different layers") { check(small<double>(), small_input, 3); }
    SECTION("of one layer") { check(sequence(convolution<double>("only", 2, 3)), {4, 3, 2}, 2); }
    SECTION("that starts with a layer that does not read its input") {
        check(sequence(relu<double>{}, max_pool<double>{{.kernel = 2}}), {4, 4, 3}, 2);
    }
    SECTION("inside sequences") {
        check(sequence(sequence(convolution<double>("a", 2, 3), relu<double>{}),
                       sequence(sequence(batch_norm<double>("b", 3)), convolution<double>("c", 3, 2)),
                       linear<double>({.name = "d", .inputs = 24, .outputs = 3})),
              {4, 3, 2}, 3);
    }
    SECTION("that ends in an adding layer") {
        check(sequence(normalised<double>("a", 2, 3, 2), normalised<double>("b", 3, 4)), {5, 4, 2}, 4);
        check(sequence(normalised<double>("a", 2, 3), normalised<double, activation::none>("b", 3, 4, 2)),
              {5, 4, 2}, 4);
    }
    SECTION("that ends in a sequence that ends in an adding layer") {
        check(sequence(convolution<double>("a", 2, 3),
                       sequence(relu<double>{}, sequence(normalised<double>("b", 3, 4)))),
              {4, 5, 2}, 3);
    }
}

TEST_CASE("a sequence equals its layers run by hand, in training and in inference") {
    bound_layer whole(sequence(normalised<float>("a", 2, 3), max_pool<float>{{.kernel = 2}},
                               convolution<float>("b", 3, 5)));
    bound_layer first(normalised<float>("a", 2, 3));
    bound_layer pool(max_pool<float>{{.kernel = 2}});
    bound_layer last(convolution<float>("b", 3, 5));
    const auto x = random_tensor<float>(3, {6, 5, 2}, "x");
    for (const auto how : {phase::training, phase::inference}) {
        const auto expected = last.forward(pool.forward(first.forward(x, how), how), how);
        CHECK(same_bits(whole.forward(x, how), expected));
    }
    CHECK(whole.statistics("a.norm.running_var") == first.statistics("a.norm.running_var"));
}

TEST_CASE("a sequence computes the gradients that are wanted and leaves the others alone") {
    bound_layer whole(small<double>());
    const auto x = random_tensor<double>(3, small_input, "x");
    const auto y = whole.forward(x, phase::training);
    const auto dy = random_tensor<double>(3, shape_of(y), "dy");
    const auto dx = whole.backward(x, y, dy, gradients::both);
    const auto dfirst = whole.gradient("first.weight"), dlast = whole.gradient("last.weight");

    whole.itself.for_each_parameter(
        [](parameter<double>& item) { std::fill_n(item.gradient, item.size(), 7.0); });
    whole.forward(x, phase::training);
    CHECK(same_bits(whole.backward(x, y, dy, gradients::input), dx));
    CHECK(whole.gradient("first.weight") == std::vector<double>(dfirst.size(), 7.0));
    CHECK(whole.gradient("last.weight") == std::vector<double>(dlast.size(), 7.0));
    whole.forward(x, phase::training);
    CHECK(whole.backward(x, y, dy, gradients::parameters).size() == 0);
    CHECK(whole.gradient("first.weight") == dfirst);
    CHECK(whole.gradient("last.weight") == dlast);
}

TEST_CASE("a sequence in inference gives a sample the same bits in any batch and position") {
    bound_layer whole(small<float>());
    CHECK(inference_depends_on_the_sample_alone(whole, small_input));
}

TEST_CASE("a sequence adds up the costs of its layers and passes their errors on") {
    const auto whole = small<float>();
    const std::uint64_t first = 2 * (4 * 5 * 9 * 2 * 3), last = 2 * 12 * 4, both = first + last;
    CHECK(whole.flops(small_input) == flop_counts{.forward = both,
                                                  .backward_input = first,
                                                  .backward_parameters = both,
                                                  .backward_inner = last});
    CHECK(whole.output_shape(small_input) == sample_shape{1, 1, 4});
    CHECK_THROWS_WITH(whole.output_shape({4, 5, 3}),
                      "convolution 'first' takes 2 channels, but its input 4x5x3 has 3");
    CHECK_THROWS_WITH(whole.output_shape({4, 7, 2}),
                      "linear 'last' takes 12 values a sample, but its input 2x3x3 has 18");
}

TEST_CASE("a sequence visits parameters and buffers from the first layer to the last") {
    auto whole = sequence(normalised<float>("a", 2, 3),
                          sequence(convolution<float>("b", 3, 3), batch_norm<float>("c", 3)));
    std::vector<std::string> names;
    whole.for_each_parameter([&](const auto& item) { names.push_back(item.name); });
    whole.for_each_buffer([&](const auto& item) { names.push_back(item.name); });
    CHECK(names == std::vector<std::string>{"a.conv.weight", "a.norm.weight", "a.norm.bias", "b.weight",
                                            "b.bias", "c.weight", "c.bias", "a.norm.running_mean",
                                            "a.norm.running_var", "c.running_mean", "c.running_var"});
}
