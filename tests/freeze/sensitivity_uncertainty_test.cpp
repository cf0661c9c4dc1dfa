// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/sensitivity_uncertainty.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("sensitivity times uncertainty follows a trace computed by hand") {
    sensitivity_uncertainty scorer(0.5, 0.75);
    // |g|: (2, 0), then (0, 4). Sums (1, 0), (1/2, 2) over weights 1/2, 3/4: sensitivity (2, 0), (2/3, 8/3).
    // Differences (0, 0), (2/3, 4/3); sums (0, 0), (1/6, 1/3) over weights 1/4, 7/16: uncertainty
    // (0, 0), (8/21, 16/21).
    CHECK_FALSE(score_of_gradients(scorer, {4, 0}, 2, 0));
    CHECK(*score_of_gradients(scorer, {0, -4}, 1, 1) ==
          Catch::Approx((2. / 3 * 8 / 21 + 8. / 3 * 16 / 21) / 2));
}

TEST_CASE("under gradients of the same size the score never rises, from the first decision on") {
    sensitivity_uncertainty scorer;
    CHECK_FALSE(score_of_gradients(scorer, {3, -1}, 1, 0));
    for (std::size_t decision = 1; decision < 20; ++decision)
        CHECK(*score_of_gradients(scorer, {decision % 2 == 0 ? 3.0 : -3.0, 1}, 1, decision) ==
              Catch::Approx(0).margin(1e-12));
}

TEST_CASE("a block without gradients has a sensitivity of zero, and without steps an unknown one") {
    sensitivity_uncertainty scorer;
    CHECK_FALSE(score_of_gradients(scorer, {0, 0}, 0, 0));
    CHECK_FALSE(score_of_gradients(scorer, {0, 0}, 1, 0));
    CHECK(score_of_gradients(scorer, {0, 0}, 1, 1) == 0.0);
}

TEST_CASE("padding does not count in the mean sensitivity") {
    const doubles plain{4, 2}, padded{4, 2, 0, 0};
    sensitivity_uncertainty first, second;
    for (std::size_t decision = 0; decision < 2; ++decision) {
        const std::size_t steps = decision + 1;  // another mean gradient each time
        const auto score = first(
            block_view<double>{.decision = decision, .steps = steps, .parameters = 2, .gradient_sum = plain});
        CHECK(score.has_value() == (decision > 0));
        CHECK(score == second(block_view<double>{
                           .decision = decision, .steps = steps, .parameters = 2, .gradient_sum = padded}));
    }
}

TEST_CASE("sensitivity_uncertainty refuses a smoothing that is no share") {
    CHECK_THROWS_AS(sensitivity_uncertainty(0.5, -0.1), argument_error);
    CHECK_NOTHROW(sensitivity_uncertainty(0, 1));
}
