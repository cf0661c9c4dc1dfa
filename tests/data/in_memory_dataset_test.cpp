// SPDX-License-Identifier: MIT
#include "frostline/data/in_memory_dataset.hpp"

#include "support/catch.hpp"

#include <limits>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

template <class Pixel>
tensor<Pixel> counting(std::size_t samples, const sample_shape& shape) {
    tensor<Pixel> images;
    resize(images, samples, shape);
    Pixel next = 0;
    for (auto& pixel : images) pixel = next++;
    return images;
}

}  // namespace

TEMPLATE_TEST_CASE("a user's arrays are read back sample by sample in both precisions", "", float, double) {
    const in_memory_dataset<TestType> data(counting<TestType>(3, {2, 2, 3}), {0, 4, 1}, 5);
    CHECK(data.size() == 3);
    CHECK(data.shape() == sample_shape{2, 2, 3});
    CHECK(data.classes() == 5);
    CHECK(data.target(1) == 4);
    CHECK(data.sample_id(2) == 2);
    std::vector<float> singles(12);
    std::vector<double> doubles(12);
    data.read(1, std::span(singles));
    data.read(1, std::span(doubles));
    for (std::size_t element = 0; element < 12; ++element) {
        CHECK(singles[element] == static_cast<float>(12 + element));
        CHECK(doubles[element] == static_cast<double>(12 + element));
    }
}

TEST_CASE("bytes are read as value / 255") {
    const in_memory_dataset<std::uint8_t> data(counting<std::uint8_t>(2, {16, 16, 1}), {0, 1}, 2);
    std::vector<float> singles(256);
    std::vector<double> doubles(256);
    data.read(0, std::span(singles));
    data.read(0, std::span(doubles));
    CHECK(singles[0] == 0);
    CHECK(singles[255] == 1);
    CHECK(doubles[255] == 1);
    CHECK(singles[51] == 51.0f / 255.0f);
    CHECK(doubles[51] == 51.0 / 255.0);
}

TEST_CASE("copies of a data set share its arrays") {
    const auto make = [] { return in_memory_dataset<float>(counting<float>(2, {1, 1, 1}), {0, 0}, 1); };
    const in_memory_dataset<float> copy = in_memory_dataset<float>(make());  // outlives what it was made from
    std::vector<float> pixel(1);
    copy.read(1, std::span(pixel));
    CHECK(pixel[0] == 1);
}

TEST_CASE("other xtensor arrays are taken too, and their type is deduced") {
    const xt::xtensor<float, 4> fixed({2, 1, 2, 1}, 3.0f);
    const in_memory_dataset from_fixed(fixed, {0, 1}, 2);
    static_assert(std::same_as<decltype(from_fixed), const in_memory_dataset<float>>);
    CHECK(from_fixed.shape() == sample_shape{1, 2, 1});

    const xt::xarray<double> dynamic(std::vector<std::size_t>{2, 1, 2, 1}, 4.0);
    const in_memory_dataset from_dynamic(dynamic, {0, 1}, 2);
    std::vector<double> pixels(2);
    from_dynamic.read(1, std::span(pixels));
    CHECK(pixels == std::vector<double>{4, 4});

    const xt::xarray<double> flat(std::vector<std::size_t>{2, 2}, 4.0);
    CHECK_THROWS_WITH(in_memory_dataset(flat, {0, 1}, 2),
                      ContainsSubstring("2 dimensions, expected 4: samples, height, width, channels"));
}

TEST_CASE("arrays that disagree are data errors with both numbers") {
    const auto make = [](std::size_t samples, sample_shape shape, std::vector<std::int32_t> targets) {
        tensor<float> images;
        resize(images, samples, shape);
        images.fill(0);
        return in_memory_dataset<float>(std::move(images), std::move(targets), 10);
    };
    CHECK_THROWS_AS(make(2, {1, 1, 1}, {0}), data_error);
    CHECK_THROWS_WITH(make(2, {1, 1, 1}, {0}), ContainsSubstring("2 images and 1 targets"));
    CHECK_THROWS_WITH(make(2, {1, 1, 1}, {0, 0, 0}), ContainsSubstring("2 images and 3 targets"));
    CHECK_THROWS_WITH(make(0, {1, 1, 1}, {}), ContainsSubstring("hold no samples"));
    CHECK_THROWS_WITH(make(2, {1, 0, 1}, {0, 0}),
                      ContainsSubstring("shape 1x0x1, expected at least one pixel"));
    CHECK_THROWS_WITH(make(2, {1, 1, 1}, {0, -1}), ContainsSubstring("target 1 of a data set is -1"));
    CHECK_THROWS_WITH(
        make(2, {1, 1, 1}, {10, 0}),
        ContainsSubstring("target 0 of a data set is 10, expected at least 0 and less than 10"));
    CHECK_THROWS_AS(make(1, {1, 1, 1}, {std::numeric_limits<std::int32_t>::min()}), data_error);
    CHECK_THROWS_AS(in_memory_dataset<float>(tensor<float>(), {}, 10), data_error);
}
