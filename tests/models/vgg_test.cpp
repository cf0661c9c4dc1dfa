// SPDX-License-Identifier: MIT
#include "frostline/models/vgg.hpp"

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/standalone.hpp"

#include <type_traits>

using namespace frostline;

static_assert(std::is_same_v<decltype(vgg11<float>({}, 10)), decltype(vgg19<float>({}, 10))>,
              "all depths are one type");

namespace {

constexpr std::size_t features_11 = 9225984, features_16 = 14723136;  // torchvision's, with batch norm
constexpr std::size_t head = 512 * 10 + 10;

template <class T>
void check_vgg_logits(double tolerance) {
    const auto file = golden::load("vgg11");
    auto network = vgg11<T>({32, 32, 1}, 10);
    const auto errors = golden::logits_errors_of(network, file, 0, golden::logits_error<T>);
    CHECK(errors.inference < tolerance);
    CHECK(errors.training < tolerance);
}

}  // namespace

TEST_CASE("VGG-16 has the blocks, the parameters and the multiply-accumulates of the literature") {
    const auto network = vgg16<float>({32, 32, 3}, 10);
    CHECK(network.blocks() == 13 + 5 + 1);
    CHECK(network.parameters() == features_16 + head);
    CHECK_FALSE(network.block(2).learns());
    CHECK(network.shape_at(3) == sample_shape{16, 16, 64});
    CHECK(network.shape_at(18) == sample_shape{1, 1, 512});
    flop_counts total;
    for (std::size_t index = 0; index < network.blocks(); ++index) total += network.block(index).flops;
    CHECK(total.forward == 2 * std::uint64_t{313201664});
    CHECK(total.backward_input + total.backward_inner == total.forward);
    CHECK(total.backward_parameters == total.forward);
}

TEST_CASE("VGG-11 has the parameters of torchvision's features under its names") {
    auto network = vgg11<float>({32, 32, 3}, 10);
    CHECK(network.blocks() == 8 + 5 + 1);
    CHECK(network.parameters() == features_11 + head);
    std::vector<std::string> names;
    network.for_each_parameter([&](const auto& item) { names.push_back(item.name); });
    std::vector<std::string> expected;
    for (const std::size_t convolution : {0, 4, 8, 11, 15, 18, 22, 25})
        for (const std::size_t layer : {convolution, convolution + 1})
            for (const char* kind : {"weight", "bias"})
                expected.push_back(sentence("features.", layer, ".", kind));
    expected.insert(expected.end(), {"classifier.weight", "classifier.bias"});
    CHECK(names == expected);
}

TEST_CASE("VGG of every depth has the parameters of torchvision's features and of its head", "[slow]") {
    CHECK(vgg13<float>({32, 32, 3}, 10).parameters() == 9410880 + head);
    CHECK(vgg19<float>({32, 32, 3}, 10).parameters() == 20035392 + head);
    // One channel less is a kernel of 9 less for each of the 64 first outputs.
    CHECK(vgg11<float>({32, 32, 1}, 10).parameters() == features_11 + head - 2 * 9 * 64);
    CHECK(vgg11<float>({32, 32, 3}, 100).parameters() == features_11 + 512 * 100 + 100);
}

TEST_CASE("VGG takes any size from 32x32 up and any number of channels", "[slow]") {
    for (const sample_shape& input : {sample_shape{48, 40, 1}, {64, 64, 3}, {33, 32, 2}}) {
        INFO(input);
        auto network = vgg11<float>(input, 7);
        CHECK(network.shape_at(13) == sample_shape{input.height / 32, input.width / 32, 512});
        const auto x = standalone::random_tensor<float>(2, input, "x");
        const auto& logits = network.predict(x);
        CHECK(shape_of(logits) == sample_shape{1, 1, 7});
        CHECK(std::all_of(logits.data(), logits.data() + logits.size(),
                          [](float value) { return std::isfinite(value); }));
    }
}

TEST_CASE("VGG rejects an image that five poolings leave nothing of") {
    CHECK_THROWS_AS(vgg11<float>({31, 32, 3}, 10), shape_error);
    CHECK_THROWS_WITH(vgg11<float>({31, 32, 3}, 10),
                      "max_pool: a 2x2 kernel does not fit an input of 1x2x512");
    CHECK_THROWS_AS(vgg16<float>({16, 16, 3}, 10), shape_error);
    CHECK_THROWS_AS(vgg11<float>({32, 32, 0}, 10), argument_error);
    CHECK_THROWS_AS(vgg11<float>({32, 32, 3}, 0), argument_error);
}

TEST_CASE("VGG-11 predicts a sample with the same bits in any batch and position") {
    auto network = vgg11<float>({32, 32, 3}, 10);
    const auto x = standalone::random_tensor<float>(4, {32, 32, 3}, "x");
    const tensor<float> together = network.predict(x);
    for (std::size_t row = 0; row < 4; ++row)
        CHECK(standalone::same_bits(network.predict(standalone::rows_of(x, row, 1)),
                                    standalone::rows_of(together, row, 1)));
    CHECK(standalone::same_bits(network.predict(standalone::rows_of(x, 1, 3)),
                                standalone::rows_of(together, 1, 3)));
}

TEST_CASE("VGG-11 gives PyTorch's logits, in float") { check_vgg_logits<float>(1e-4); }

TEST_CASE("VGG-11 gives PyTorch's logits, in double", "[slow]") { check_vgg_logits<double>(1e-10); }

TEST_CASE("VGG-11 trains as PyTorch does, in float", "[slow]") {
    const auto file = golden::load("vgg11");
    const auto& run = file.at("runs").at("sgd");
    auto network = vgg11<float>({32, 32, 1}, 10);
    golden::set_parameters(network, file);
    CHECK(golden::losses_error(golden::train(network, file, "sgd"), run.at("losses")) < 1e-3);
    CHECK(golden::statistics_error(network, run.at("running_statistics_l2_norms")) < 1e-4);
}

TEST_CASE("VGG-11 trains as PyTorch does, in double", "[slow]") {
    const auto file = golden::load("vgg11");
    const auto& run = file.at("runs").at("sgd");
    auto network = vgg11<double>({32, 32, 1}, 10);
    golden::set_parameters(network, file);
    CHECK(golden::losses_error(golden::train(network, file, "sgd"), run.at("losses")) < 1e-6);
    CHECK(golden::statistics_error(network, run.at("running_statistics_l2_norms")) < 1e-7);
}
