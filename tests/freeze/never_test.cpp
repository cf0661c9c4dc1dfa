// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/never.hpp"

#include "support/catch.hpp"

using namespace frostline;

TEST_CASE("never freezes nothing, whatever it sees") {
    const std::vector<decision_scores> scores(5, decision_scores(4, 0.0));
    CHECK(never{}({}) == 0);
    training_view view;
    view.epoch = view.epochs = 5;
    view.last_freezable = 3;
    view.frozen = 2;
    view.scores = scores;
    CHECK(never{}(view) == 0);
}
