// SPDX-License-Identifier: MIT
#include "frostline/models/named_model.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

using namespace frostline;

namespace {

constexpr sample_shape image{32, 32, 3};

/// The shape behind the model's first block.
sample_shape behind_first(std::string_view name, const sample_shape& input) {
    return with_model<float>(name, input, 10, [](const auto& network) { return network.shape_at(1); });
}

/// Batch norms of ResNet-18 that start at zero.
std::size_t zero_norms(std::string_view name) {
    return with_model<float>(name, image, 10, [](auto network) {
        std::size_t zeros = 0;
        network.for_each_parameter([&](const auto& item) {
            zeros += item.name.ends_with(".bn2.weight") &&
                     std::all_of(item.value, item.value + item.size(), [](float w) { return w == 0; });
        });
        return zeros;
    });
}

}  // namespace

TEST_CASE("a ResNet by name has the stem for CIFAR up to 64x64, and the one for ImageNet beyond") {
    CHECK(behind_first("resnet18", {64, 64, 3}) == sample_shape{64, 64, 64});
    CHECK(behind_first("resnet18", {28, 40, 1}) == sample_shape{28, 40, 64});
    CHECK(behind_first("resnet18", {65, 64, 3}) == sample_shape{33, 32, 64});
    CHECK(behind_first("resnet18", {64, 65, 3}) == sample_shape{32, 33, 64});
}

TEST_CASE("a ResNet by name has the stem that is asked for") {
    CHECK(behind_first("resnet18:stem=imagenet", {32, 32, 1}) == sample_shape{16, 16, 64});
    CHECK(behind_first("resnet50:stem=cifar", {65, 65, 3}) == sample_shape{65, 65, 64});
    CHECK_THROWS_WITH(behind_first("resnet18:stem=large", image),
                      "resnet18: stem must be cifar or imagenet, found \"large\"");
    CHECK_THROWS_WITH(behind_first("vgg11:stem=cifar", image), "vgg11 has no option \"stem\", it takes none");
}

TEST_CASE("a ResNet by name starts its blocks as their shortcuts where that is asked for") {
    CHECK(zero_norms("resnet18") == 0);
    CHECK(zero_norms("resnet18:zero_initial_residual=0") == 0);
    CHECK(zero_norms("resnet18:stem=cifar,zero_initial_residual=1") == 8);
    CHECK_THROWS_WITH(zero_norms("resnet18:zero_initial_residual=yes"),
                      "resnet18: zero_initial_residual must be 0 or 1, found \"yes\"");
}

TEST_CASE("every named model is built under its name", "[slow]") {
    std::vector<std::size_t> blocks;
    for (const auto name : named_models)
        with_model<float>(name, image, 10, [&](const auto& network) { blocks.push_back(network.blocks()); });
    CHECK(blocks == std::vector<std::size_t>{7, 14, 16, 19, 22, 10, 18, 18, 35, 52});
}

TEST_CASE("an unknown model is an argument error that names the known ones") {
    const auto ignore = [](const auto&) {};
    CHECK_THROWS_AS(with_model<float>("alexnet", image, 10, ignore), argument_error);
    CHECK_THROWS_AS(require_named_model("alexnet"), argument_error);
    for (const auto name : named_models) CHECK_NOTHROW(require_named_model(name));
    CHECK_THROWS_WITH(with_model<float>("alexnet", image, 10, ignore),
                      "there is no model \"alexnet\", known are lenet5, vgg11, vgg13, vgg16, vgg19, "
                      "resnet18, resnet34, resnet50, resnet101, resnet152");
}
