// SPDX-License-Identifier: MIT
#include "frostline/freeze/never.hpp"

#include "support/catch.hpp"

using namespace frostline;

TEST_CASE("never freezes nothing, whatever it sees") {
    const std::vector<decision_scores> scores(5, decision_scores(4, 0.0));
    CHECK(never{}({}) == 0);
    CHECK(never{}({.epoch = 5, .epochs = 5, .blocks = 4, .last_freezable = 3, .frozen = 2, .scores = scores}) == 0);
}
