// SPDX-License-Identifier: MIT
#include "frostline/models/vgg_imagenet.hpp"

#include "support/catch.hpp"
#include "support/standalone.hpp"

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

using namespace frostline;

static_assert(
    std::is_same_v<decltype(vgg11_imagenet<float>({}, 10)), decltype(vgg19_imagenet<float>({}, 10))>,
    "all depths are one type");

TEST_CASE("VGG with the head for ImageNet has the parameters and the multiply-accumulates of torchvision's",
          "[slow]") {
    const auto network = vgg16_imagenet<float>({224, 224, 3}, 1000);
    CHECK(network.blocks() == 13 + 5 + 1 + 2 + 1);
    CHECK(network.parameters() == 138365992);
    CHECK(network.shape_at(19) == sample_shape{7, 7, 512});
    std::uint64_t flops = 0;
    for (std::size_t index = 0; index < network.blocks(); ++index)
        flops += network.block(index).flops.forward;
    CHECK(flops == 2 * std::uint64_t{15470264320});
}

TEST_CASE("VGG with the head for ImageNet trains and predicts at any size under torchvision's names",
          "[slow]") {
    const sample_shape input{37, 64, 3};
    auto network = vgg11_imagenet<float>(input, 1000);
    CHECK(network.parameters() == 132868840);
    std::vector<std::string> names;
    network.for_each_parameter([&](const auto& item) { names.push_back(item.name); });
    const std::vector<std::string> head{"classifier.0.weight", "classifier.0.bias",   "classifier.3.weight",
                                        "classifier.3.bias",   "classifier.6.weight", "classifier.6.bias"};
    CHECK(std::equal(head.begin(), head.end(), names.end() - 6));

    const auto x = standalone::random_tensor<float>(2, input, "x");
    CHECK(shape_of(network.predict(x)) == sample_shape{1, 1, 1000});
    auto dy = standalone::random_tensor<float>(2, network.output_shape(), "dy");
    network.forward(x, 0, network.blocks(), {.phase = phase::training});
    network.backward(x, dy, 0, network.blocks());
    const auto found = network.arenas().gradients();
    CHECK(std::all_of(found.begin(), found.end(), [](float value) { return std::isfinite(value); }));
}

TEST_CASE("VGG with the head for ImageNet rejects an image that five poolings leave nothing of") {
    CHECK_THROWS_AS(vgg11_imagenet<float>({31, 32, 3}, 10), shape_error);
}
