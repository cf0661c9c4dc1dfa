// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/gradient_norm.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("the gradient norm is the length of the mean gradient") {
    CHECK(*score_of_gradients(gradient_norm{}, {3, 4}, 1, 0) == Catch::Approx(5));
    CHECK(*score_of_gradients(gradient_norm{}, {3, -4}, 10, 3) == Catch::Approx(0.5));
    CHECK(score_of_gradients(gradient_norm{}, {0, 0}, 10, 0) == 0.0);
    CHECK_FALSE(score_of_gradients(gradient_norm{}, {0, 0}, 0, 0));
}
