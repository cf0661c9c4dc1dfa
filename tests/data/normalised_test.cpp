// SPDX-License-Identifier: MIT
#include "frostline/data/transforms/normalised.hpp"

#include "frostline/data/in_memory_dataset.hpp"
#include "support/catch.hpp"

#include <limits>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

in_memory_dataset<double> two_channels() {
    tensor<double> images;
    resize(images, 2, {1, 2, 2});
    double next = 0;
    for (auto& pixel : images) pixel = next++;
    return {std::move(images), {1, 0}, 3};
}

}  // namespace

TEMPLATE_TEST_CASE("each channel is shifted and scaled by its own numbers", "", float, double) {
    const normalised data(two_channels(), {{1, 3}, {2, 0.5}});
    CHECK(data.size() == 2);
    CHECK(data.shape() == sample_shape{1, 2, 2});
    CHECK(data.classes() == 3);
    CHECK(data.target(0) == 1);
    CHECK(data.sample_id(1) == 1);
    std::vector<TestType> pixels(4);
    data.read(1, std::span(pixels));
    CHECK(pixels == std::vector<TestType>{1.5, 4, 2.5, 8});
}

TEST_CASE("normalisation that does not fit the channels, or divides by nothing, is an error") {
    const double infinity = std::numeric_limits<double>::infinity();
    CHECK_THROWS_AS(normalised(two_channels(), {{0}, {1}}), shape_error);
    CHECK_THROWS_WITH(normalised(two_channels(), {{0, 0}, {1}}),
                      ContainsSubstring("2 means and 1 deviations, expected 2 of each"));
    CHECK_THROWS_AS(normalised(two_channels(), {{0, 0}, {1, 0}}), argument_error);
    CHECK_THROWS_WITH(normalised(two_channels(), {{0, 0}, {1, -1}}),
                      ContainsSubstring("deviation of channel 1 is -1"));
    CHECK_THROWS_AS(normalised(two_channels(), {{0, 0}, {infinity, 1}}), argument_error);
    CHECK_THROWS_WITH(normalised(two_channels(), {{infinity, 0}, {1, 1}}),
                      ContainsSubstring("mean of channel 0"));
}
