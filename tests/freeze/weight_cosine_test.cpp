// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/weight_cosine.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("the weight cosine is the cosine distance of the weights now and before") {
    CHECK(*score_of_step(weight_cosine(), {1, 0}, {0, 2}) == Catch::Approx(1));
    CHECK(*score_of_step(weight_cosine(), {1, 0}, {3, 3}) == Catch::Approx(1 - std::sqrt(0.5)));
    CHECK(*score_of_step(weight_cosine(), {1, 0}, {-5, 0}) == Catch::Approx(2));
    CHECK(*score_of_step(weight_cosine(), {1, 2}, {10, 20}) == Catch::Approx(0).margin(1e-15));
}

TEST_CASE("the weight cosine tells tiny turns apart") {
    const double angle = 1e-7;
    CHECK(*score_of_step(weight_cosine(), {1, 0}, {std::cos(angle), std::sin(angle)}) ==
          Catch::Approx(angle * angle / 2).epsilon(1e-6));
}

TEST_CASE("the weight cosine compares with the start of the run where it is told to") {
    const doubles start{1, 0}, before{0, 1}, now{0, 2};
    const block_view<double> view{.weights = now,
                                  .previous_weights = before,
                                  .learning_rate_sum = 1,
                                  .steps = 1,
                                  .initial_weights = start};
    const weight_cosine recent, rotation(weight_cosine::since::start);
    CHECK(*recent(view) == Catch::Approx(0));
    CHECK(*rotation(view) == Catch::Approx(1));
    CHECK(recent.observes.previous_weights);
    CHECK_FALSE(recent.observes.initial_weights);
    CHECK(rotation.observes.initial_weights);
    CHECK_FALSE(rotation.observes.previous_weights);
}

TEST_CASE("weights without a direction have no weight cosine") {
    CHECK_FALSE(score_of_step(weight_cosine(), {0, 0}, {1, 1}));
    CHECK_FALSE(score_of_step(weight_cosine(), {1, 1}, {0, 0}));
    CHECK_FALSE(score_of_step(weight_cosine(), {}, {}));
}
