// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/auto_freeze.hpp"

#include "support/catch.hpp"
#include "traces.hpp"

using namespace frostline;

TEST_CASE("AutoFreeze follows a trace computed by hand") {
    constexpr auto none = std::nullopt;
    const traces::run run{.scores = {
                              {none, none, none, none, none},  // no gradients to compare with
                              {0.3, 0.1, 0.2, 0.4, 0.0},       // median 0.25: block 0 is not below it
                              {0.1, 0.2, 0.4, 0.3, 0.0},       // median 0.25: blocks 0 and 1
                              {0.0, 0.0, 0.2, 0.1, 0.0},       // of 0.2 and 0.1: 0.15, block 2 is not
                              {0.0, 0.0, 0.1, 0.2, 0.0},       // block 2
                              {0.0, 0.0, 0.0, 0.1, 0.0},       // one block is never below its own median
                          }};
    CHECK(leading(auto_freeze{}, run) == std::vector<std::size_t>{0, 0, 2, 2, 3, 3});
    CHECK(leading(auto_freeze{.percentile = 0}, run) == std::vector<std::size_t>(6, 0));
    // 75th percentiles: 0.325, 0.225 of the rest, 0.175, 0.175, none.
    CHECK(leading(auto_freeze{.percentile = 75}, run) == std::vector<std::size_t>{0, 3, 3, 3, 3, 3});
}
