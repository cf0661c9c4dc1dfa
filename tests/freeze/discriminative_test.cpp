// SPDX-License-Identifier: MIT
#include "frostline/freeze/discriminative.hpp"

#include "frostline/freeze/any_policy.hpp"
#include "frostline/freeze/policies/freeze_out.hpp"
#include "frostline/freeze/policies/gradual_thaw.hpp"
#include "frostline/freeze/policies/learn_and_drop.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "frostline/testing/policy_check.hpp"
#include "support/catch.hpp"

#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("discriminative rates fall from the head, which has the schedule's, by a factor with each block") {
    const discriminative policy(never{}, 0.5);
    for (std::size_t block = 0; block < 4; ++block)
        CHECK(policy.learning_rate({.block = block, .blocks = 4, .rate = 0.8}) ==
              (std::vector{0.1, 0.2, 0.4, 0.8})[block]);
    CHECK(discriminative(never{}, 1).learning_rate({.block = 0, .blocks = 4, .rate = 0.8}) == 0.8);
    CHECK(discriminative(never{}, 0).learning_rate({.block = 2, .blocks = 4, .rate = 0.8}) == 0);
    CHECK(discriminative(never{}, 0).learning_rate({.block = 3, .blocks = 4, .rate = 0.8}) == 0.8);
}

TEST_CASE("discriminative rates multiply those that the policy sets") {
    const freeze_out inner{.first = 1, .scaled = false};
    const rate_view now{.block = 0, .blocks = 3, .step = 3, .steps = 10, .rate = 7, .peak_rate = 1};
    CHECK(discriminative(inner, 0.5).learning_rate(now) == 0.25 * inner.learning_rate(now));
    CHECK(any_policy("any", discriminative(inner, 0.5)).learning_rate(now) ==
          0.25 * inner.learning_rate(now));
}

TEST_CASE("a policy with discriminative rates freezes, thaws and is meant for the same") {
    const discriminative thawing(gradual_thaw{}, 0.9);
    training_view view{.epoch = 3, .epochs = 10, .blocks = 6, .last_freezable = 5};
    CHECK(thawing(view) == gradual_thaw{}(view));
    CHECK(thawing.at_start(view) == gradual_thaw{}.at_start(view));
    CHECK(may_thaw(thawing));
    CHECK_FALSE(may_thaw(discriminative(learn_and_drop{}, 0.9)));
    CHECK(scorer_of(discriminative(learn_and_drop{}, 0.9)) == "weight_change");
    CHECK(check_policy(discriminative(learn_and_drop{}, 0.9)).empty());
}

TEST_CASE("a decay of the rate that raises it or turns it round is refused") {
    for (const double decay : {-0.1, 1.1})
        CHECK_THROWS_WITH(discriminative(never{}, decay), ContainsSubstring("expected a number from 0 to 1"));
}
