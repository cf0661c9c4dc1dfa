// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/freeze_out.hpp"

#include "frostline/freeze/any_policy.hpp"
#include "support/catch.hpp"
#include "traces.hpp"

#include <cmath>

using namespace frostline;
using Catch::Approx;

static_assert(sets_learning_rates<freeze_out>);

TEST_CASE("FreezeOut anneals each block's rate to zero at the block's own time") {
    // Three blocks: t = 0.5, 0.75, 1.
    const freeze_out policy{.first = 0.5, .cubed = false, .scaled = false};
    const auto rate = [&](std::size_t block, std::size_t step) {
        return policy.learning_rate(
            {.block = block, .blocks = 3, .step = step, .steps = 12, .rate = 99, .peak_rate = 2});
    };
    for (std::size_t block = 0; block < 3; ++block) CHECK(rate(block, 0) == 2);
    CHECK(rate(0, 3) == Approx(1));             // half way to step 6
    CHECK(rate(1, 3) == Approx(1.5));           // a third of the way to step 9
    CHECK(rate(2, 3) == Approx(1.7071067812));  // a quarter of the way to step 12
    CHECK(rate(0, 6) == 0);
    CHECK(rate(1, 6) == Approx(0.5));
    CHECK(rate(1, 9) == 0);
    CHECK(rate(2, 11) > 0);
}

TEST_CASE("FreezeOut's cubed times and scaled rates") {
    const freeze_out policy{.first = 0.5};
    // t = 0.125, 0.421875, 1, and rates 8, 2.37, 1 times the peak.
    const auto rate = [&](std::size_t block, std::size_t step) {
        return policy.learning_rate(
            {.block = block, .blocks = 3, .step = step, .steps = 1000, .peak_rate = 0.1});
    };
    CHECK(rate(0, 0) == Approx(0.8));
    CHECK(rate(1, 0) == Approx(0.1 / 0.421875));
    CHECK(rate(2, 0) == Approx(0.1));
    CHECK(rate(0, 124) > 0);
    CHECK(rate(0, 125) == 0);
    CHECK(rate(1, 421) > 0);
    CHECK(rate(1, 422) == 0);
}

TEST_CASE("FreezeOut freezes what has no rate left, and never the head") {
    const traces::run run{.scores = traces::trace(12, decision_scores(3))};
    CHECK(leading(freeze_out{.first = 0.5, .cubed = false}, run) ==
          std::vector<std::size_t>{0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2});
    training_view alone;
    alone.blocks = 1;
    alone.epoch = alone.epochs = 1;
    CHECK(freeze_out{}(alone) == 0);
}

TEST_CASE("FreezeOut refuses a first block that would freeze before the run or behind it") {
    for (const double first : {-0.1, 1.1, std::nan("")}) {
        CHECK_THROWS_AS(freeze_out{.first = first}(training_view{}), argument_error);
        CHECK_THROWS_AS(freeze_out{.first = first}.learning_rate({.blocks = 3, .steps = 12}), argument_error);
    }
}

TEST_CASE("any_policy hands on the rates of its policy, and the schedule's where there are none") {
    const rate_view now{.blocks = 3, .step = 3, .steps = 12, .rate = 5, .peak_rate = 2};
    const freeze_out inside{.first = 0.5};
    CHECK(any_policy("freeze_out", inside).learning_rate(now) == inside.learning_rate(now));
    CHECK(any_policy("none", [](const training_view&) { return 0; }).learning_rate(now) == 5);
}
