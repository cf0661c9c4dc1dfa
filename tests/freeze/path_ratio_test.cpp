// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/path_ratio.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("the path ratio is the distance from the last decision over the length of the path") {
    const doubles before{1, 1}, now{4, 5};
    block_view<double> view{.weights = now, .previous_weights = before, .steps = 9, .path_length = 20};
    CHECK(*path_ratio()(view) == Catch::Approx(5.0 / 20));
    view.path_length = 5;
    CHECK(*path_ratio()(view) == Catch::Approx(1));
    view.path_length = 0;
    CHECK_FALSE(path_ratio()(view));
}

TEST_CASE("the path ratio observes every n-th step") {
    CHECK(path_ratio().observes.path_every == 8);
    CHECK(path_ratio(1).observes.path_every == 1);
    CHECK(path_ratio().observes.previous_weights);
}
