// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/grades.hpp"

#include "support/catch.hpp"
#include "traces.hpp"

using namespace frostline;

TEST_CASE("GradES follows a trace computed by hand") {
    const traces::run run{.scores = {
                              {10.0, 10.0, 10.0, 10.0},
                              {10.0, 1.0, 10.0, 1.0},  // still in its grace period
                              {10.0, 1.0, 3.0, 1.0},   // block 1 is below a fifth of its peak
                              {10.0, 0.0, 1.9, 1.0},   // block 2, too; the head never
                              {1.0, 0.0, 0.0, 1.0},    // block 0: now all are leading blocks
                              {9.0, 0.0, 0.0, 1.0},    // frozen for good
                          }};
    const auto wanted = follow(grades{}, run);
    CHECK(wanted[0] == 0);
    CHECK(wanted[1] == 0);
    CHECK(wanted[2] == frozen_blocks().insert(1));
    CHECK(wanted[3] == frozen_blocks().insert(1).insert(2));
    CHECK(wanted[4] == 3);
    CHECK(wanted[5] == 3);
}

TEST_CASE("GradES compares with a threshold of the source's kind, too") {
    const traces::run run{.scores = traces::trace(4, decision_scores{5.0, 3.0, 0.0})};
    const auto wanted = follow(grades{.grace = 0.75, .below_peak = 0, .threshold = 4}, run);
    CHECK(wanted[1] == 0);
    CHECK(wanted[2] == frozen_blocks().insert(1));
}
