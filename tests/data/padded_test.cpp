// SPDX-License-Identifier: MIT
#include "frostline/data/transforms/padded.hpp"

#include "frostline/data/in_memory_dataset.hpp"
#include "frostline/data/transforms/normalised.hpp"
#include "support/catch.hpp"

using namespace frostline;

namespace {

in_memory_dataset<float> counting_from_one(std::size_t samples, sample_shape shape) {
    tensor<float> images;
    resize(images, samples, shape);
    float next = 1;
    for (auto& pixel : images) pixel = next++;
    return {std::move(images), std::vector<std::int32_t>(samples, 0), 1};
}

}  // namespace

TEST_CASE("a border of zeros surrounds the sample") {
    const padded data(counting_from_one(2, {2, 2, 1}), 1);
    CHECK(data.shape() == sample_shape{4, 4, 1});
    std::vector<float> pixels(16, -1.0f);
    data.read(1, std::span(pixels));
    CHECK(pixels == std::vector<float>{0, 0, 0, 0,  //
                                       0, 5, 6, 0,  //
                                       0, 7, 8, 0,  //
                                       0, 0, 0, 0});
}

TEST_CASE("every border leaves every pixel of every channel in its place") {
    for (const std::size_t border : {0, 1, 2, 7}) {
        for (const sample_shape inner :
             {sample_shape{28, 28, 1}, sample_shape{5, 3, 3}, sample_shape{1, 9, 2}}) {
            const padded data(counting_from_one(1, inner), border);
            const sample_shape outer = data.shape();
            REQUIRE(outer ==
                    sample_shape{inner.height + 2 * border, inner.width + 2 * border, inner.channels});
            std::vector<double> pixels(outer.size(), -1.0);
            data.read(0, std::span(pixels));
            std::size_t wrong = 0;
            for (std::size_t row = 0; row < outer.height; ++row) {
                for (std::size_t column = 0; column < outer.width; ++column) {
                    for (std::size_t channel = 0; channel < outer.channels; ++channel) {
                        const bool inside = row >= border && row < border + inner.height &&
                                            column >= border && column < border + inner.width;
                        const std::size_t source =
                            ((row - border) * inner.width + column - border) * inner.channels + channel;
                        const double expected = inside ? static_cast<double>(source + 1) : 0;
                        wrong += pixels[(row * outer.width + column) * outer.channels + channel] != expected;
                    }
                }
            }
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("padding before normalisation gives black, padding after it the mean") {
    const auto data = counting_from_one(1, {2, 2, 1});
    std::vector<float> pixels(16);
    normalised(padded(data, 1), {{2}, {4}}).read(0, std::span(pixels));
    CHECK(pixels[0] == -0.5f);
    CHECK(pixels[5] == -0.25f);
    padded(normalised(data, {{2}, {4}}), 1).read(0, std::span(pixels));
    CHECK(pixels[0] == 0);
    CHECK(pixels[5] == -0.25f);
}

TEST_CASE("padding twice adds up") {
    const auto data = counting_from_one(1, {3, 2, 1});
    std::vector<float> once(42);
    std::vector<float> twice(42);
    const padded both(padded(data, 1), 1);
    CHECK(both.shape() == sample_shape{7, 6, 1});
    padded(data, 2).read(0, std::span(once));
    both.read(0, std::span(twice));
    CHECK(once == twice);
}

TEST_CASE("a border that no memory holds is refused") {
    const auto data = counting_from_one(1, {2, 2, 1});
    CHECK(padded(data, 1u << 16).shape() == sample_shape{131'074, 131'074, 1});
    for (const std::size_t border : {(std::size_t{1} << 16) + 1, static_cast<std::size_t>(-1)}) {
        CHECK_THROWS_AS(padded(data, border), argument_error);
        CHECK_THROWS_WITH(padded(data, border),
                          "padded: the border is " + std::to_string(border) + ", expected at most 65536");
    }
}
