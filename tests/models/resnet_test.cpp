// SPDX-License-Identifier: MIT
#include "frostline/models/resnet.hpp"

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/network_gradients.hpp"
#include "support/standalone.hpp"

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

using namespace frostline;

static_assert(std::is_same_v<decltype(resnet18<float>({}, 10)), decltype(resnet34<float>({}, 10))>,
              "all depths of basic blocks are one type");
static_assert(std::is_same_v<decltype(resnet50<float>({}, 10)), decltype(resnet101<float>({}, 10))> &&
                  std::is_same_v<decltype(resnet50<float>({}, 10)), decltype(resnet152<float>({}, 10))>,
              "all depths of bottlenecks are one type");

namespace {

constexpr resnet_options cifar{.stem = resnet_stem::cifar};
const std::vector<resnet_stage> tiny{{3, 2}, {4, 1}};

template <class Network>
std::uint64_t multiply_accumulates(const Network& network) {
    std::uint64_t flops = 0;
    for (std::size_t index = 0; index < network.blocks(); ++index)
        flops += network.block(index).flops.forward;
    return flops / 2;
}

template <class Network>
void check_size(const Network& network, std::size_t blocks, std::size_t parameters, std::uint64_t macs) {
    CHECK(network.blocks() == 1 + 1 + blocks + 1);
    CHECK(network.parameters() == parameters);
    CHECK(multiply_accumulates(network) == macs);
}

template <class Network>
void check_rows(Network network) {
    const auto x = standalone::random_tensor<float>(4, network.input_shape(), "x");
    const tensor<float> together = network.predict(x);
    for (std::size_t row = 0; row < 4; ++row)
        CHECK(standalone::same_bits(network.predict(standalone::rows_of(x, row, 1)),
                                    standalone::rows_of(together, row, 1)));
    CHECK(standalone::same_bits(network.predict(standalone::rows_of(x, 1, 3)),
                                standalone::rows_of(together, 1, 3)));
}

/// Of a network whose blocks start as their shortcuts: the norms that are zero, and what the block behind
/// the stem does.
template <class Network>
void check_zero_initial_residual(Network network, std::string_view last_norm) {
    network.for_each_parameter([&](const auto& item) {
        if (item.name.find(".bn") == std::string::npos || !item.name.ends_with(".weight")) return;
        INFO(item.name);
        const float expected = item.name.ends_with(last_norm) ? 0 : 1;
        CHECK(std::all_of(item.value, item.value + item.size(), [&](float w) { return w == expected; }));
    });
    const auto x = standalone::random_tensor<float>(2, network.shape_at(2), "x");
    for (const auto how : {phase::training, phase::inference}) {
        const auto& y = network.forward(x, 2, 3, {.phase = how});
        std::size_t different = 0;
        for (std::size_t i = 0; i < y.size(); ++i) different += y.data()[i] != std::max(0.0f, x.data()[i]);
        CHECK(different == 0);
    }
}

template <class T, class Make>
void check_resnet_logits(const std::string& name, const Make& make, double tolerance) {
    const auto file = golden::load(name);
    auto network = make();
    const auto errors = golden::logits_errors_of(network, file, 0, golden::logits_error<T>);
    CHECK(errors.inference < tolerance);
    CHECK(errors.training < tolerance);
}

template <class Make>
void check_training(const std::string& name, const Make& make, double losses, double statistics) {
    const auto file = golden::load(name);
    const auto& run = file.at("runs").at("sgd");
    auto network = make();
    golden::set_parameters(network, file);
    CHECK(golden::losses_error(golden::train(network, file, "sgd"), run.at("losses")) < losses);
    CHECK(golden::statistics_error(network, run.at("running_statistics_l2_norms")) < statistics);
}

// The networks of the golden files.
template <class T>
basic_resnet<T> golden_resnet18() {
    return resnet18<T>({18, 14, 3}, 10, cifar);
}
template <class T>
bottleneck_resnet<T> golden_bottlenecks() {
    return make_resnet<resnet_bottleneck<T>>({64, 48, 3}, 10, {{64, 1}, {128, 2}, {256, 1}, {512, 1}});
}

}  // namespace

TEST_CASE("ResNet-18 has the parameters and the multiply-accumulates of torchvision's") {
    const auto network = resnet18<float>({224, 224, 3}, 1000);
    check_size(network, 8, 11689512, 1814073344);
    CHECK(network.shape_at(1) == sample_shape{112, 112, 64});
    CHECK(network.shape_at(2) == sample_shape{56, 56, 64});
    CHECK(network.shape_at(4) == sample_shape{56, 56, 64});
    CHECK(network.shape_at(6) == sample_shape{28, 28, 128});
    CHECK(network.shape_at(10) == sample_shape{7, 7, 512});
    CHECK(network.output_shape() == sample_shape{1, 1, 1000});
}

TEST_CASE("ResNet of every depth has the parameters and the multiply-accumulates of torchvision's",
          "[slow]") {
    check_size(resnet34<float>({224, 224, 3}, 1000), 16, 21797672, 3663761408);
    check_size(resnet50<float>({224, 224, 3}, 1000), 16, 25557032, 4089184256);
    check_size(resnet101<float>({224, 224, 3}, 1000), 33, 44549160, 7801405440);
    check_size(resnet152<float>({224, 224, 3}, 1000), 50, 60192808, 11513626624);
}

TEST_CASE("ResNet for CIFAR starts with a 3x3 convolution and without pooling") {
    const auto network = resnet18<float>({32, 32, 3}, 10, cifar);
    CHECK(network.blocks() == 1 + 8 + 1);
    CHECK(network.parameters() == 11173962);
    CHECK(network.shape_at(1) == sample_shape{32, 32, 64});
    CHECK(network.shape_at(9) == sample_shape{4, 4, 512});
    // ResNet-20 of the paper, with convolutions in its shortcuts.
    const auto narrow =
        make_resnet<resnet_basic_block<float>>({32, 32, 3}, 10, {{16, 3}, {32, 3}, {64, 3}}, cifar);
    CHECK(narrow.blocks() == 1 + 9 + 1);
    CHECK(narrow.parameters() == 272474);
}

TEST_CASE("ResNet's parameters and statistics have torchvision's names") {
    const auto names_of = [](auto network) {
        std::vector<std::string> names;
        network.for_each_parameter([&](const auto& item) { names.push_back(item.name); });
        network.for_each_buffer([&](const auto& item) { names.push_back(item.name); });
        return names;
    };
    const auto expected = [](const std::vector<std::pair<std::string, std::string>>& layers) {
        std::vector<std::string> names;
        for (const auto& [convolution, norm] : layers)
            names.insert(names.end(), {convolution + ".weight", norm + ".weight", norm + ".bias"});
        names.insert(names.end(), {"fc.weight", "fc.bias"});
        for (const auto& [convolution, norm] : layers)
            names.insert(names.end(), {norm + ".running_mean", norm + ".running_var"});
        return names;
    };
    CHECK(names_of(make_resnet<resnet_basic_block<float>>({16, 16, 3}, 10, tiny)) ==
          expected({{"conv1", "bn1"},
                    {"layer1.0.conv1", "layer1.0.bn1"},
                    {"layer1.0.conv2", "layer1.0.bn2"},
                    {"layer1.1.conv1", "layer1.1.bn1"},
                    {"layer1.1.conv2", "layer1.1.bn2"},
                    {"layer2.0.conv1", "layer2.0.bn1"},
                    {"layer2.0.conv2", "layer2.0.bn2"},
                    {"layer2.0.downsample.0", "layer2.0.downsample.1"}}));
    CHECK(names_of(make_resnet<resnet_bottleneck<float>>({16, 16, 3}, 10, {{4, 1}}, cifar)) ==
          expected({{"conv1", "bn1"},
                    {"layer1.0.conv1", "layer1.0.bn1"},
                    {"layer1.0.conv2", "layer1.0.bn2"},
                    {"layer1.0.conv3", "layer1.0.bn3"},
                    {"layer1.0.downsample.0", "layer1.0.downsample.1"}}));
}

TEST_CASE("a bottleneck has its stride on the 3x3 convolution") {
    const auto block = make_resnet_block<resnet_bottleneck<float>>("block", 8, 2, 2);
    // 1x1 on 6x6, 3x3 and 1x1 on 3x3, and the shortcut's 1x1 to 3x3.
    CHECK(block.flops({6, 6, 8}).forward == 2 * (36 * 8 * 2 + 9 * 9 * 2 * 2 + 9 * 2 * 8 + 9 * 8 * 8));
}

TEST_CASE("ResNet takes any size from 1x1 up and any number of channels") {
    for (const auto stem : {resnet_stem::imagenet, resnet_stem::cifar})
        for (const sample_shape& input : {sample_shape{1, 1, 1}, {13, 7, 2}, {33, 50, 3}, {9, 64, 5}}) {
            INFO(input);
            auto network =
                make_resnet<resnet_bottleneck<float>>(input, 7, {{8, 1}, {8, 2}, {16, 1}}, {.stem = stem});
            const auto x = standalone::random_tensor<float>(2, input, "x");
            auto dy = standalone::random_tensor<float>(2, network.output_shape(), "dy");
            CHECK(shape_of(network.predict(x)) == sample_shape{1, 1, 7});
            network.forward(x, 0, network.blocks(), {.phase = phase::training});
            CHECK(shape_of(network.backward(x, dy, 0, network.blocks(), gradients::both)) == input);
            const auto found = network.arenas().gradients();
            CHECK(std::all_of(found.begin(), found.end(), [](float value) { return std::isfinite(value); }));
        }
}

TEST_CASE("ResNet rejects what leaves nothing to compute") {
    CHECK_THROWS_AS(resnet18<float>({0, 32, 3}, 10), shape_error);
    CHECK_THROWS_WITH(resnet18<float>({32, 0, 3}, 10, cifar),
                      "convolution 'conv1': a 3x3 kernel does not fit the input 32x0x3 with padding 1x1");
    CHECK_THROWS_AS(resnet18<float>({32, 32, 0}, 10), argument_error);
    CHECK_THROWS_AS(resnet18<float>({32, 32, 3}, 0), argument_error);
    CHECK_THROWS_WITH(make_resnet<resnet_basic_block<float>>({32, 32, 3}, 10, {}),
                      "resnet: expected at least one stage");
    CHECK_THROWS_AS(make_resnet<resnet_basic_block<float>>({32, 32, 3}, 10, {{0, 1}}), argument_error);
}

TEST_CASE("ResNet's blocks start as their shortcuts when that is wanted") {
    const resnet_options zero{.zero_initial_residual = true};
    check_zero_initial_residual(make_resnet<resnet_basic_block<float>>({12, 12, 3}, 10, tiny, zero),
                                ".bn2.weight");
    // Its first shortcut is the identity, for the stem is as wide as the first block's output.
    std::vector<resnet_bottleneck<float>> one;
    one.push_back(make_resnet_block<resnet_bottleneck<float>>("layer1.0", 8, 2, 1, true));
    using network_of_one = network<conv2d_batch_norm<float>, max_pool<float>, resnet_bottleneck<float>>;
    check_zero_initial_residual(
        network_of_one({6, 6, 3},
                       {conv2d_batch_norm<float>{resnet_convolution_options("c", "n", 3, 8, 3, 1)}},
                       {max_pool<float>{}}, std::move(one)),
        ".bn3.weight");
}

TEST_CASE("ResNet's gradients are the differences of its loss") {
    auto basic = make_resnet<resnet_basic_block<double>>({9, 7, 2}, 3, tiny, cifar);
    CHECK(standalone::network_gradient_error(basic, 4) < 1e-5);
    auto bottlenecks = make_resnet<resnet_bottleneck<double>>({17, 15, 2}, 3, {{2, 2}, {3, 1}});
    CHECK(standalone::network_gradient_error(bottlenecks, 4) < 1e-5);
}

TEST_CASE("ResNet predicts a sample with the same bits in any batch and position") {
    check_rows(golden_resnet18<float>());
    check_rows(golden_bottlenecks<float>());
}

TEST_CASE("ResNet gives PyTorch's logits, in float") {
    check_resnet_logits<float>("resnet18", golden_resnet18<float>, 1e-4);
    check_resnet_logits<float>("bottleneck_resnet", golden_bottlenecks<float>, 1e-4);
}

TEST_CASE("ResNet gives PyTorch's logits, in double", "[slow]") {
    check_resnet_logits<double>("resnet18", golden_resnet18<double>, 1e-10);
    check_resnet_logits<double>("bottleneck_resnet", golden_bottlenecks<double>, 1e-10);
}

TEST_CASE("ResNet-18 trains as PyTorch does, in float", "[slow]") {
    check_training("resnet18", golden_resnet18<float>, 1e-3, 1e-4);
}

TEST_CASE("ResNet-18 trains as PyTorch does, in double", "[slow]") {
    check_training("resnet18", golden_resnet18<double>, 1e-6, 1e-7);
}

TEST_CASE("ResNet of bottlenecks trains as PyTorch does, in float", "[slow]") {
    check_training("bottleneck_resnet", golden_bottlenecks<float>, 1e-3, 1e-4);
}

TEST_CASE("ResNet of bottlenecks trains as PyTorch does, in double", "[slow]") {
    check_training("bottleneck_resnet", golden_bottlenecks<double>, 1e-6, 1e-7);
}
