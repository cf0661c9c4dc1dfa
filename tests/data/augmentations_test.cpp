// SPDX-License-Identifier: MIT
#include "frostline/data/augmentations/colour_jitter.hpp"
#include "frostline/data/augmentations/cutout.hpp"
#include "frostline/data/augmentations/horizontal_flip.hpp"
#include "frostline/data/augmentations/random_crop.hpp"
#include "frostline/data/augmentations/random_resized_crop.hpp"
#include "frostline/data/transforms/augmented.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <limits>
#include <map>
#include <set>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

static_assert(augmentation<random_crop>);
static_assert(augmentation<horizontal_flip>);
static_assert(augmentation<random_resized_crop>);
static_assert(augmentation<colour_jitter>);
static_assert(augmentation<cutout>);
static_assert(!augmentation<int>);

constexpr sample_shape shape{6, 5, 3};

/// Pixels in (0, 1), all different.
std::vector<double> sample(const sample_shape& of = shape) {
    std::vector<double> pixels(of.size());
    for (std::size_t index = 0; index < pixels.size(); ++index)
        pixels[index] = static_cast<double>(index + 1) / static_cast<double>(pixels.size() + 1);
    return pixels;
}

template <class Augmentation>
std::vector<double> changed(const Augmentation& augmentation, std::uint64_t seed,
                            const std::vector<double>& from = sample(), const sample_shape& of = shape) {
    std::vector<double> to(augmentation.output_shape(of).size(), -7.0);
    augmentation(random_stream(seed, purpose::augmentation), std::span<const double>(from), of,
                 std::span(to));
    return to;
}

double at(const std::vector<double>& pixels, std::ptrdiff_t row, std::ptrdiff_t column, std::size_t channel) {
    if (row < 0 || row >= 6 || column < 0 || column >= 5) return 0;
    return pixels[static_cast<std::size_t>(row * 5 + column) * 3 + channel];
}

}  // namespace

TEST_CASE("a random crop is the sample, shifted by each amount equally often, with zeros around it") {
    const std::size_t padding = GENERATE(0, 1, 2, 9);
    const random_crop crop{padding};
    const auto reach = static_cast<std::ptrdiff_t>(padding);
    const auto from = sample();
    std::map<std::pair<std::ptrdiff_t, std::ptrdiff_t>, int> shifts;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        const auto to = changed(crop, seed);
        int matches = 0;
        for (std::ptrdiff_t down = -reach; down <= reach; ++down)
            for (std::ptrdiff_t right = -reach; right <= reach; ++right) {
                bool same = true;
                for (std::ptrdiff_t row = 0; row < 6 && same; ++row)
                    for (std::ptrdiff_t column = 0; column < 5 && same; ++column)
                        for (std::size_t channel = 0; channel < 3; ++channel)
                            same = same && at(to, row, column, channel) ==
                                               at(from, row + down, column + right, channel);
                if (!same) continue;
                ++matches;
                ++shifts[{down, right}];
            }
        REQUIRE(matches >= 1);  // several where nothing of the sample is left
    }
    if (padding > 2) return;
    CHECK(shifts.size() == (2 * padding + 1) * (2 * padding + 1));
    for (const auto& [shift, count] : shifts)
        CHECK(static_cast<double>(count) > 500.0 / static_cast<double>(shifts.size()));
}

TEST_CASE("a horizontal flip mirrors about half of the samples") {
    const auto from = sample();
    int flipped = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        const auto to = changed(horizontal_flip{}, seed);
        if (to == from) continue;
        ++flipped;
        for (std::ptrdiff_t row = 0; row < 6; ++row)
            for (std::ptrdiff_t column = 0; column < 5; ++column)
                for (std::size_t channel = 0; channel < 3; ++channel)
                    REQUIRE(at(to, row, column, channel) == at(from, row, 4 - column, channel));
    }
    CHECK(flipped > 430);
    CHECK(flipped < 570);
    for (const double wrong : {-0.1, 50.0, std::nan("")})
        CHECK_THROWS_AS(horizontal_flip{wrong}.output_shape({4, 4, 3}), argument_error);
    CHECK(changed(horizontal_flip{0}, 1) == from);
    CHECK(changed(horizontal_flip{1}, 1) != from);
}

TEST_CASE("cutout leaves a rectangle of zeros, whole in the middle and cut off at the borders") {
    const auto from = sample();
    std::set<std::size_t> sizes;
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        const auto to = changed(cutout{3}, seed);
        std::size_t top = 6, bottom = 0, left = 5, right = 0, zeros = 0;
        for (std::size_t place = 0; place < 30; ++place) {
            const bool covered = to[3 * place] == 0;
            for (std::size_t channel = 0; channel < 3; ++channel)
                REQUIRE(to[3 * place + channel] == (covered ? 0 : from[3 * place + channel]));
            if (!covered) continue;
            ++zeros;
            top = std::min(top, place / 5);
            bottom = std::max(bottom, place / 5 + 1);
            left = std::min(left, place % 5);
            right = std::max(right, place % 5 + 1);
        }
        REQUIRE(zeros == (bottom - top) * (right - left));
        sizes.insert(zeros);
    }
    CHECK(sizes == std::set<std::size_t>{4, 6, 9});
    CHECK(changed(cutout{100}, 1) == std::vector<double>(from.size(), 0.0));
    CHECK(changed(cutout{0}, 1) == from);
}

TEST_CASE("a random resized crop chooses parts of every area and ratio inside of the sample") {
    const random_resized_crop crop{.size = 4, .smallest_area = 0.25};
    const sample_shape large{90, 120, 1};
    double least = 1, most = 0;
    for (std::uint64_t seed = 0; seed < 2000; ++seed) {
        const auto region = crop.region(random_stream(seed, purpose::augmentation), large);
        REQUIRE(region.top >= 0);
        REQUIRE(region.left >= 0);
        REQUIRE(region.top + region.height <= 90);
        REQUIRE(region.left + region.width <= 120);
        REQUIRE(region.top == std::floor(region.top));
        REQUIRE(region.width / region.height > 0.73);
        REQUIRE(region.width / region.height < 1.37);
        const double area = region.height * region.width / (90 * 120);
        least = std::min(least, area);
        most = std::max(most, area);
    }
    CHECK(least > 0.24);
    CHECK(least < 0.3);
    CHECK(most > 0.9);
    CHECK(changed(crop, 3).size() == 4 * 4 * 3);

    const std::vector<double> grey(sample_shape{90, 120, 1}.size(), 0.5);
    for (const double pixel : changed(crop, 5, grey, large)) CHECK(pixel == Catch::Approx(0.5));
}

TEST_CASE("a random resized crop of a narrow sample falls back to its middle") {
    const random_resized_crop crop{.size = 2, .smallest_area = 1};
    const auto region = crop.region(random_stream(1, purpose::augmentation), {10, 100, 1});
    CHECK(region.height == 10);
    CHECK(region.width == 13);
    CHECK(region.left == 43);
    const auto upright = crop.region(random_stream(1, purpose::augmentation), {100, 10, 1});
    CHECK(upright.height == 13);
    CHECK(upright.width == 10);
    CHECK(upright.top == 43);
    CHECK_THROWS_AS((random_resized_crop{.size = 0}.output_shape(shape)), argument_error);
    CHECK_THROWS_AS((random_resized_crop{.smallest_area = 0}.output_shape(shape)), argument_error);
    CHECK_THROWS_AS((random_resized_crop{.smallest_area = 1.1}.output_shape(shape)), argument_error);
}

TEST_CASE("each amount of colour jitter changes what it is named after") {
    const auto from = sample();
    CHECK(changed(colour_jitter{0, 0, 0}, 1) == from);
    const auto grey = [](const std::vector<double>& pixels, std::size_t place) {
        return 0.299 * pixels[3 * place] + 0.587 * pixels[3 * place + 1] + 0.114 * pixels[3 * place + 2];
    };
    const auto mean = [&](const std::vector<double>& pixels) {
        double sum = 0;
        for (std::size_t place = 0; place < 30; ++place) sum += grey(pixels, place) / 30;
        return sum;
    };
    double darkest = 1, brightest = 1;
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        const auto brighter = changed(colour_jitter{0.3, 0, 0}, seed);
        const double factor = brighter[0] / from[0];
        darkest = std::min(darkest, factor);
        brightest = std::max(brightest, factor);
        for (std::size_t element = 0; element < from.size(); ++element)
            REQUIRE(brighter[element] == Catch::Approx(std::min(1.0, factor * from[element])));

        const auto contrast = changed(colour_jitter{0, 0.1, 0}, seed);
        const double steepness = (contrast[50] - contrast[30]) / (from[50] - from[30]);
        REQUIRE(contrast[40] == Catch::Approx(mean(from) + steepness * (from[40] - mean(from))));

        const auto saturated = changed(colour_jitter{0, 0, 0.4}, seed);
        for (std::size_t place = 1; place < 29; ++place)
            REQUIRE(grey(saturated, place) == Catch::Approx(grey(from, place)));
        for (const double pixel : changed(colour_jitter{2, 2, 2}, seed)) REQUIRE((pixel >= 0 && pixel <= 1));
    }
    CHECK(darkest < 0.75);
    CHECK(darkest >= 0.7);
    CHECK(brightest > 1.25);
    CHECK(brightest <= 1.3);
    CHECK(changed(colour_jitter{0, 0, 1}, 1, sample({2, 2, 1}), {2, 2, 1}) == sample({2, 2, 1}));
    CHECK_THROWS_WITH(colour_jitter{}.output_shape({2, 2, 4}), ContainsSubstring("found 4 channels"));
    for (const double bad :
         {-1.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_AS((colour_jitter{.brightness = bad}.output_shape(shape)), argument_error);
        CHECK_THROWS_AS((colour_jitter{.contrast = bad}.output_shape(shape)), argument_error);
        CHECK_THROWS_AS((colour_jitter{.saturation = bad}.output_shape(shape)), argument_error);
    }
}

TEST_CASE("crops of a size or padding beyond all samples are refused") {
    CHECK(random_crop{1u << 16}.output_shape(shape) == shape);
    CHECK_THROWS_AS(random_crop{std::size_t{1} << 62}.output_shape(shape), argument_error);
    CHECK_THROWS_WITH(random_crop{65'537}.output_shape(shape),
                      "random_crop: the padding is 65537, expected at most 65536");
    CHECK_THROWS_AS(random_resized_crop{std::size_t{1} << 32}.output_shape(shape), argument_error);
    CHECK_THROWS_WITH(random_resized_crop{0}.output_shape(shape),
                      "random_resized_crop: the size is 0, expected from 1 to 65536");
}
