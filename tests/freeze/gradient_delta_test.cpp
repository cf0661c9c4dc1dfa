// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/gradient_delta.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("the gradient delta is the summed difference of the last two gradients") {
    const doubles now{1, -2, 0}, before{0, 2, 0};
    CHECK(gradient_delta{}(block_view<double>{.gradient = now, .previous_gradient = before}) == 5.0);
    CHECK(gradient_delta{}(block_view<double>{.gradient = now, .previous_gradient = now}) == 0.0);
    CHECK_FALSE(gradient_delta{}(block_view<double>{.gradient = now}));
}
