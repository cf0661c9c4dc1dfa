// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/sensitivity_uncertainty.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("sensitivity times uncertainty follows a trace computed by hand") {
    sensitivity_uncertainty scorer(0.5, 0.75);
    // |g|: (2, 0), then (0, 4). Sensitivity (1, 0), (1/2, 2). Differences (1, 0), (1/2, 2); uncertainty
    // (1/4, 0), (5/16, 1/2).
    CHECK(*score_of_gradients(scorer, {4, 0}, 2, 0) == Catch::Approx((1 * 0.25) / 2));
    CHECK(*score_of_gradients(scorer, {0, -4}, 1, 1) == Catch::Approx((0.5 * 5 / 16 + 2 * 0.5) / 2));
}

TEST_CASE("a block without gradients has a sensitivity of zero, and without steps an unknown one") {
    sensitivity_uncertainty scorer;
    CHECK_FALSE(score_of_gradients(scorer, {0, 0}, 0, 0));
    CHECK(score_of_gradients(scorer, {0, 0}, 1, 0) == 0.0);
}

TEST_CASE("padding does not count in the mean sensitivity") {
    const doubles plain{4, 2}, padded{4, 2, 0, 0};
    sensitivity_uncertainty first, second;
    CHECK(first(block_view<double>{.steps = 1, .parameters = 2, .gradient_sum = plain}) ==
          second(block_view<double>{.steps = 1, .parameters = 2, .gradient_sum = padded}));
}
