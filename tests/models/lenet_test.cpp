// SPDX-License-Identifier: MIT
#include "frostline/models/lenet.hpp"

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/standalone.hpp"

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("LeNet-5 has the parameters and the multiply-accumulates of the literature") {
    const auto network = lenet5<float>({28, 28, 1}, 10);
    CHECK(network.blocks() == 7);
    CHECK(network.parameters() == 61706);
    std::uint64_t flops = 0;
    for (std::size_t index = 0; index < network.blocks(); ++index)
        flops += network.block(index).flops.forward;
    CHECK(flops == 2 * (28 * 28 * 25 * 6 + 10 * 10 * 150 * 16 + 400 * 120 + 120 * 84 + 84 * 10));
    CHECK(network.shape_at(4) == sample_shape{5, 5, 16});
    CHECK(network.output_shape() == sample_shape{1, 1, 10});
}

TEST_CASE("LeNet-5 takes any size from 12x12 up and any number of channels") {
    for (const sample_shape& input : {sample_shape{12, 12, 1}, {32, 32, 3}, {13, 40, 2}}) {
        INFO(input);
        auto network = lenet5<float>(input, 4);
        CHECK(shape_of(network.predict(standalone::random_tensor<float>(2, input, "x"))) ==
              sample_shape{1, 1, 4});
    }
    CHECK_THROWS_AS(lenet5<float>({11, 28, 1}, 10), shape_error);
    CHECK_THROWS_WITH(lenet5<float>({11, 28, 1}, 10),
                      "max_pool: a 2x2 kernel does not fit an input of 1x10x16");
    CHECK_THROWS_WITH(lenet5<float>({4, 28, 1}, 10),
                      "convolution 'conv2': a 5x5 kernel does not fit the input 2x14x6 with padding 0x0");
    CHECK_THROWS_AS(lenet5<float>({28, 28, 0}, 10), argument_error);
    CHECK_THROWS_AS(lenet5<float>({28, 28, 1}, 0), argument_error);
}

TEST_CASE("the golden files' generator is ours") {
    const auto file = golden::load("lenet5");
    for (const auto& check : file.at("generator_check")) {
        const std::string name = check.at("name");
        CHECK(hash_of(name) == check.at("fnv1a64").get<std::uint64_t>());
        for (std::size_t index = 0; index < 3; ++index) {
            CHECK(golden::hash(name, index) == check.at("h").at(index).get<std::uint64_t>());
            CHECK(static_cast<double>(golden::generate(name, index, 1, 0)) ==
                  check.at("value").at(index).get<double>());
        }
    }
}

TEST_CASE("LeNet-5 gives PyTorch's logits") {
    const auto file = golden::load("lenet5");
    const auto check = [&](auto network, double tolerance) {
        using T = typename decltype(network)::value_type;
        golden::set_parameters(network, file);
        const auto x = golden::images<T>(file, 0);
        CHECK(golden::logits_error(network.forward(x, 0, network.blocks(), {.phase = phase::training}),
                                   file.at("logits_training")) < tolerance);
        CHECK(golden::logits_error(network.predict(x), file.at("logits_inference")) < tolerance);
    };
    check(lenet5<float>({28, 28, 1}, 10), 1e-4);
    check(lenet5<double>({28, 28, 1}, 10), 1e-12);
}

TEST_CASE("LeNet-5 trains as PyTorch does") {
    const auto file = golden::load("lenet5");
    for (const std::string run : {"sgd", "nesterov_smoothed"}) {
        INFO(run);
        const auto& expected = file.at("runs").at(run).at("losses");
        auto single = lenet5<float>({28, 28, 1}, 10);
        golden::set_parameters(single, file);
        CHECK(golden::losses_error(golden::train(single, file, run), expected) < 1e-3);
        auto exact = lenet5<double>({28, 28, 1}, 10);
        golden::set_parameters(exact, file);
        CHECK(golden::losses_error(golden::train(exact, file, run), expected) < 1e-9);
    }
}
