// SPDX-License-Identifier: MIT
#include "frostline/data/transforms/subset.hpp"

#include "frostline/data/in_memory_dataset.hpp"
#include "support/catch.hpp"

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

in_memory_dataset<float> five() {
    const xt::xtensor<float, 4> images = {{{{10}}}, {{{11}}}, {{{12}}}, {{{13}}}, {{{14}}}};
    return {images, {0, 1, 2, 3, 4}, 5};
}

}  // namespace

TEST_CASE("a subset shows its samples in the given order under their own ids") {
    const subset data(five(), {4, 0, 2});
    CHECK(data.size() == 3);
    CHECK(data.classes() == 5);
    CHECK(data.sample_id(0) == 4);
    CHECK(data.target(2) == 2);
    std::vector<double> pixel(1);
    data.read(0, std::span(pixel));
    CHECK(pixel[0] == 14);

    const subset nested(data, {1});
    CHECK(nested.sample_id(0) == 0);
    nested.read(0, std::span(pixel));
    CHECK(pixel[0] == 10);
}

TEST_CASE("the first samples are a subset") {
    const auto data = take_first(five(), 2);
    CHECK(data.size() == 2);
    CHECK(data.sample_id(1) == 1);
    CHECK(take_first(data, 1).size() == 1);
    CHECK(take_first(five(), 5).size() == 5);
}

TEST_CASE("a subset of nothing, or of samples that are not there, is an argument error") {
    CHECK_THROWS_AS(subset(five(), {}), argument_error);
    CHECK_THROWS_WITH(subset(five(), {0, 5}), "a subset asks for sample 5 of a data set of 5");
    CHECK_THROWS_AS(take_first(five(), 0), argument_error);
    CHECK_THROWS_WITH(take_first(five(), 6), ContainsSubstring("the first 6 samples were asked for") &&
                                                 ContainsSubstring("at most 5"));
}
