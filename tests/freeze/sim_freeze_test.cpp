// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/sim_freeze.hpp"

#include "support/catch.hpp"
#include "traces.hpp"

using namespace frostline;
using numbers = std::vector<std::size_t>;

TEST_CASE("SimFreeze follows a trace computed by hand") {
    // Similarities of block 0: 0.9, 0.85, 0.845, ...; of block 1: 0.8, 0.6, 0.5, 0.499.
    traces::run run{.scores = {{0.100, 0.200, 0.0},
                               {0.150, 0.400, 0.0},    // 0.85 differs by 5.6 % of 0.9
                               {0.155, 0.500, 0.0},    // 0.845 by 0.6 % of 0.85
                               {0.155, 0.501, 0.0},    // 0.499 by 0.2 % of 0.5
                               {0.100, 0.100, 0.0},    // other data
                               {0.101, 0.300, 0.0},    // nothing to compare with yet
                               {0.102, 0.300, 0.0}}};  // both have settled
    run.train_losses = {1.0, 0.9, 0.8, 0.7, 2.0, 1.5, 1.4};
    CHECK(leading(sim_freeze{}, run) == numbers{0, 0, 1, 2, 0, 0, 2});
    CHECK(leading(sim_freeze{.loss_rise = 3}, run) == numbers{0, 0, 1, 2, 2, 2, 2});
    CHECK(leading(sim_freeze{.patience = 2}, run) == numbers{0, 0, 0, 1, 0, 0, 0});
}
