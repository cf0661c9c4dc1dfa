// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/head_only.hpp"

#include "frostline/freeze/any_policy.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "frostline/testing/policy_check.hpp"
#include "support/catch.hpp"

using namespace frostline;

TEST_CASE("head_only freezes everything but the head, before the first step and ever after") {
    const training_view view{.epochs = 10, .blocks = 6, .last_freezable = 5};
    CHECK(frozen_at_start(head_only{}, view) == 5);
    CHECK(head_only{}(view) == 5);
    CHECK(any_policy("head_only", head_only{}).at_start(view) == 5);
    CHECK(check_policy(head_only{}).empty());
}

TEST_CASE("a policy that says nothing of the start freezes nothing then") {
    const training_view view{.epochs = 10, .blocks = 6, .last_freezable = 5};
    CHECK(frozen_at_start(never{}, view) == 0);
    const auto all = [](const training_view& seen) { return seen.blocks; };
    CHECK(frozen_at_start(all, view) == 0);
    CHECK(any_policy("all", all).at_start(view) == 0);
}
