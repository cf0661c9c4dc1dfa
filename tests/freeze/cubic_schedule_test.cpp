// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/cubic_schedule.hpp"

#include "support/catch.hpp"
#include "traces.hpp"

using namespace frostline;

TEST_CASE("a cubic schedule freezes many blocks early and the last ones late") {
    const traces::run run{.scores = traces::trace(10, decision_scores(9))};  // eight may freeze
    // Of 8 blocks 8 (1 - (1 - p)^3), p = 0, 1/4, 1/2, 3/4, 1: 0, 4.625, 7, 7.875, 8.
    CHECK(leading(cubic_schedule{.start = 0.2, .end = 0.6}, run) ==
          std::vector<std::size_t>{0, 0, 4, 7, 7, 8, 8, 8, 8, 8});
    CHECK(leading(cubic_schedule{.start = 0.2, .end = 0.6, .share = 0.5}, run) ==
          std::vector<std::size_t>{0, 0, 2, 3, 3, 4, 4, 4, 4, 4});
    CHECK(leading(cubic_schedule{.start = 0.5, .end = 0.5}, run) ==
          std::vector<std::size_t>{0, 0, 0, 0, 8, 8, 8, 8, 8, 8});
}

TEST_CASE("a cubic schedule never thaws") {
    training_view view;
    view.epochs = 4;
    view.last_freezable = 3;
    view.frozen = 2;
    CHECK(cubic_schedule{}(view) == 2);
}

TEST_CASE("a cubic schedule refuses before the first step what it would refuse later") {
    CHECK_THROWS_AS((cubic_schedule{.start = 0.6, .end = 0.2}).at_start({}), argument_error);
    CHECK_THROWS_AS((cubic_schedule{.share = 1.1}).at_start({}), argument_error);
    CHECK((cubic_schedule{}).at_start({}) == frozen_blocks{});
}
