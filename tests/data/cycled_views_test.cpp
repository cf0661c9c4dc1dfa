// SPDX-License-Identifier: MIT
#include "frostline/data/transforms/cycled_views.hpp"

#include "frostline/data/any_dataset.hpp"
#include "frostline/data/augmentations/random_crop.hpp"
#include "frostline/data/in_memory_dataset.hpp"
#include "frostline/data/transforms/augmented.hpp"
#include "frostline/data/transforms/normalised.hpp"
#include "frostline/data/transforms/padded.hpp"
#include "frostline/data/transforms/subset.hpp"
#include "support/catch.hpp"

#include <vector>

using namespace frostline;

namespace {

auto shifted() {
    tensor<float> pixels;
    resize(pixels, 3, {8, 8, 1});
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels.data()[i] = static_cast<float>(i);
    return augmented(in_memory_dataset<float>(std::move(pixels), {0, 1, 2}, 3), 1, random_crop{3});
}

template <class Dataset>
std::vector<float> read(const Dataset& data, std::uint32_t view) {
    std::vector<float> pixels(data.shape().size());
    data.read(1, view, std::span(pixels));
    return pixels;
}

}  // namespace

static_assert(dataset_with_views<cycled_views<any_dataset>>);

TEST_CASE("the views of a data set come again in turn") {
    const auto plain = shifted();
    const cycled_views data(plain, 3);
    CHECK(data.random());
    CHECK(data.size() == 3);
    CHECK(data.sample_id(2) == 2);
    CHECK(data.target(2) == 2);
    for (const std::uint32_t view : {0u, 1u, 2u, 3u, 4u, 7u, 4294967295u})
        CHECK(read(data, view) == read(plain, view % 3));
    CHECK(read(data, 0) != read(data, 1));
    std::vector<float> pixels(64);
    data.read(1, std::span(pixels));
    CHECK(pixels == read(data, 0));
}

TEST_CASE("every transform tells after how many views they come again") {
    const cycled_views data(shifted(), 3);
    CHECK(views_of(data) == 3);
    CHECK(views_of(padded(data, 1)) == 3);
    CHECK(views_of(take_first(data, 2)) == 3);
    CHECK(views_of(normalised(data, {{0}, {1}})) == 3);
    CHECK(views_of(any_dataset(data)) == 3);
    CHECK(views_of(augmented(data, 1, random_crop{1})) == 0);
    CHECK(views_of(shifted()) == 0);
    CHECK(views_of(any_dataset(padded(shifted(), 1))) == 0);
    CHECK(views_of(in_memory_dataset<float>(tensor<float>({1, 1, 1, 1}), {0}, 1)) == 1);
}

TEST_CASE("a data set may tell the number of its views in an int") {
    struct counted : cycled_views<decltype(shifted())> {
        using cycled_views<decltype(shifted())>::cycled_views;
        int views() const { return 3; }
    };
    CHECK(views_of(counted(shifted(), 3)) == 3);
}

TEST_CASE("a single view is not random") {
    const cycled_views data(shifted(), 1);
    CHECK_FALSE(data.random());
    CHECK(views_of(data) == 1);
    CHECK(read(data, 5) == read(shifted(), 0));
}

TEST_CASE("no views are refused") {
    CHECK_THROWS_AS(cycled_views(shifted(), 0), argument_error);
    CHECK_THROWS_AS(cycled_views(shifted(), std::size_t{1} << 32), argument_error);
}
