// SPDX-License-Identifier: MIT
#include "frostline/data/transforms/split.hpp"

#include "frostline/data/batches.hpp"
#include "frostline/data/in_memory_dataset.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <limits>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

in_memory_dataset<float> set_of(std::size_t samples) {
    tensor<float> images;
    resize(images, samples, {1, 1, 1});
    images.fill(0);
    return {std::move(images), std::vector<std::int32_t>(samples, 0), 1};
}

std::vector<std::uint64_t> sorted(std::vector<std::uint64_t> ids) {
    std::sort(ids.begin(), ids.end());
    return ids;
}

}  // namespace

TEST_CASE("a split puts every sample on one side, in the wanted share and in order") {
    const auto [train, validation] = split(set_of(1000), 0.1, 7);
    CHECK(train.size() == 900);
    CHECK(validation.size() == 100);
    const auto train_ids = sample_ids(train);
    const auto validation_ids = sample_ids(validation);
    CHECK(std::is_sorted(train_ids.begin(), train_ids.end()));
    CHECK(std::is_sorted(validation_ids.begin(), validation_ids.end()));
    std::vector<std::uint64_t> all = train_ids;
    all.insert(all.end(), validation_ids.begin(), validation_ids.end());
    all = sorted(std::move(all));
    for (std::size_t index = 0; index < 1000; ++index) REQUIRE(all[index] == index);
    // About half of the validation samples come from the first half.
    const auto early =
        std::count_if(validation_ids.begin(), validation_ids.end(), [](auto id) { return id < 500; });
    CHECK(early > 25);
    CHECK(early < 75);
}

TEST_CASE("a split is a function of the seed and of the ids, not of the order of the samples") {
    const auto data = set_of(101);
    const auto expected = sample_ids(split(data, 0.3, 7).validation);
    CHECK(sample_ids(split(data, 0.3, 7).validation) == expected);
    CHECK(sample_ids(split(data, 0.3, 8).validation) != expected);
    std::vector<std::size_t> backwards(101);
    for (std::size_t index = 0; index < 101; ++index) backwards[index] = 100 - index;
    CHECK(sorted(sample_ids(split(subset(data, backwards), 0.3, 7).validation)) == expected);
}

TEST_CASE("a split that leaves a side empty is an argument error") {
    for (const double share : {0.0, 1.0, -0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_AS(split(set_of(10), share, 1), argument_error);
    }
    CHECK_THROWS_WITH(split(set_of(10), 0.01, 1),
                      ContainsSubstring("a validation share of 0.01 of 10 samples"));
    CHECK_THROWS_AS(split(set_of(10), 0.99, 1), argument_error);
}
