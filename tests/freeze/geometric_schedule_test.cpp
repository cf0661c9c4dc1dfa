// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/geometric_schedule.hpp"

#include "support/catch.hpp"
#include "traces.hpp"

#include <cmath>

using namespace frostline;

TEST_CASE("a geometric schedule freezes a share of the remaining blocks after each epoch") {
    const traces::run run{.scores = traces::trace(6, decision_scores(9))};  // eight may freeze
    // Half of the rest: 4, 6, 7, 7.5, 7.75.
    CHECK(leading(geometric_schedule{.alpha = 0.5, .start = 0}, run) ==
          std::vector<std::size_t>{4, 6, 7, 7, 7, 7});
    CHECK(leading(geometric_schedule{.alpha = 0.5, .start = 0.5}, run) ==
          std::vector<std::size_t>{0, 0, 0, 4, 6, 7});
    CHECK(leading(geometric_schedule{.alpha = 1, .start = 0.5}, run) ==
          std::vector<std::size_t>{0, 0, 0, 8, 8, 8});
}

TEST_CASE("a geometric schedule never thaws") {
    training_view view;
    view.epochs = 4;
    view.last_freezable = 3;
    view.frozen = 2;
    CHECK(geometric_schedule{}(view) == 2);
}

TEST_CASE(
    "a geometric schedule refuses an alpha that is no share, before the first step and after any epoch") {
    for (const double alpha : {-0.1, 1.5, std::nan("")}) {
        const geometric_schedule wrong{.alpha = alpha};
        CHECK_THROWS_AS(wrong.at_start({}), argument_error);
        for (std::size_t epoch = 1; epoch <= 4; ++epoch)
            CHECK_THROWS_AS(
                wrong(training_view{.epoch = epoch, .epochs = 4, .blocks = 4, .last_freezable = 3}),
                argument_error);
    }
    CHECK(geometric_schedule{}.at_start({}) == frozen_blocks{});
}
