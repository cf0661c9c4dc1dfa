// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/effective_perturbation.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("the effective perturbation follows a trace computed by hand") {
    effective_perturbation scorer(0.5);
    // Changes (1, 1), (1, -1), (0, 0), (-1, 1). Averages (1/2, 1/2), (3/4, -1/4), (3/8, -1/8), (-5/16, 7/16);
    // those of the sizes 1/2, 3/4, 3/8, 11/16.
    CHECK_FALSE(score_of_step(scorer, {0, 0}, {1, 1}, 0));
    CHECK(*score_of_step(scorer, {1, 1}, {2, 0}, 1) == Catch::Approx(1.0 / 1.5));
    CHECK(*score_of_step(scorer, {2, 0}, {2, 0}, 2) == Catch::Approx(0.5 / 0.75));
    CHECK(*score_of_step(scorer, {2, 0}, {1, 1}, 3) == Catch::Approx((12.0 / 16) / (22.0 / 16)));
}

TEST_CASE("weights that go straight ahead have an effective perturbation of 1, and jitter one near 0") {
    effective_perturbation ahead, jitter;
    for (std::size_t decision = 0; decision < 200; ++decision) {
        const double at = static_cast<double>(decision), side = decision % 2 == 0 ? 0.0 : 1.0;
        const auto straight = score_of_step(ahead, {at}, {at + 1}, decision);
        const auto still = score_of_step(jitter, {side}, {1 - side}, decision);
        if (decision > 0) CHECK(*straight == Catch::Approx(1));
        if (decision == 199) CHECK(*still < 0.01);
    }
}

TEST_CASE("the effective perturbation of weights that never moved is unknown") {
    effective_perturbation scorer;
    for (std::size_t decision = 0; decision < 3; ++decision)
        CHECK_FALSE(score_of_step(scorer, {1, 2}, {1, 2}, decision));
}

TEST_CASE("effective_perturbation refuses a smoothing that is no share") {
    CHECK_THROWS_AS(effective_perturbation(1.5), argument_error);
    CHECK_NOTHROW(effective_perturbation(1));
}
