// SPDX-License-Identifier: MIT
#include "frostline/data/transforms/chosen_classes.hpp"

#include "frostline/data/augmentations/horizontal_flip.hpp"
#include "frostline/data/in_memory_dataset.hpp"
#include "frostline/data/transforms/augmented.hpp"
#include "frostline/data/transforms/cycled_views.hpp"
#include "support/catch.hpp"

#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

/// Twelve samples of four classes in turn; sample i has the pixels i and i + 0.5.
in_memory_dataset<float> twelve() {
    tensor<float> pixels;
    resize(pixels, 12, {1, 2, 1});
    std::vector<std::int32_t> targets;
    for (std::int32_t i = 0; i < 12; ++i) {
        pixels.data()[2 * i] = static_cast<float>(i);
        pixels.data()[2 * i + 1] = static_cast<float>(i) + 0.5f;
        targets.push_back(i % 4);
    }
    return {std::move(pixels), std::move(targets), 4};
}

void refused(std::vector<std::size_t> classes, const std::string& message) {
    CHECK_THROWS_AS(chosen_classes(twelve(), classes), argument_error);
    CHECK_THROWS_WITH(chosen_classes(twelve(), classes), ContainsSubstring(message));
}

}  // namespace

static_assert(dataset_with_views<chosen_classes<in_memory_dataset<float>>>);

TEST_CASE("chosen classes are numbered as they were chosen, and their samples keep order, id and pixels") {
    const chosen_classes chosen(twelve(), {3, 1});
    CHECK(chosen.size() == 6);
    CHECK(chosen.classes() == 2);
    CHECK(chosen.shape() == sample_shape{1, 2, 1});
    const std::vector<std::uint64_t> ids{1, 3, 5, 7, 9, 11};
    std::vector<float> pixels(2);
    for (std::size_t index = 0; index < ids.size(); ++index) {
        CHECK(chosen.sample_id(index) == ids[index]);
        CHECK(chosen.target(index) == (ids[index] % 4 == 3 ? 0 : 1));
        chosen.read(index, std::span(pixels));
        CHECK(pixels ==
              std::vector<float>{static_cast<float>(ids[index]), static_cast<float>(ids[index]) + 0.5f});
    }
}

TEST_CASE("chosen classes have the views of their data set") {
    const cycled_views views(augmented(twelve(), 1, horizontal_flip{}), 3);
    const chosen_classes chosen(views, {0});
    CHECK(chosen.random());
    CHECK(chosen.views() == 3);
    std::vector<float> found(2), expected(2);
    for (const std::uint32_t view : {0, 1, 2}) {
        chosen.read(1, view, std::span(found));
        views.read(4, view, std::span(expected));
        CHECK(found == expected);
    }
}

TEST_CASE("a choice of classes that cannot be is refused") {
    refused({}, "a choice of classes is empty");
    refused({1, 4}, "asks for class 4, expected less than 4");
    refused({1, 2, 1}, "asks for class 1 twice");
    tensor<float> pixels;
    resize(pixels, 1, {1, 1, 1});
    pixels.data()[0] = 0;
    CHECK_THROWS_WITH(chosen_classes(in_memory_dataset<float>(std::move(pixels), {0}, 3), {1, 2}),
                      ContainsSubstring("none of the 1 samples of the data set is of a chosen class"));
}
