// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/svcca_freeze.hpp"

#include "support/catch.hpp"
#include "traces.hpp"

using namespace frostline;

TEST_CASE("SVCCA freeze training follows a trace computed by hand") {
    const traces::run run{.scores = {
                              {0.30, 0.40, 0.01, 0.0},
                              {0.04, 0.20, 0.01, 0.0},
                              {0.03, 0.04, 0.01, 0.0},  // block 0 for the second time
                              {0.50, 0.03, 0.20, 0.0},  // block 1, too; block 2 differs again
                              {0.00, 0.00, 0.01, 0.0},
                              {0.00, 0.00, 0.01, 0.0},
                          }};
    CHECK(leading(svcca_freeze{}, run) == std::vector<std::size_t>{0, 0, 1, 2, 2, 3});
    CHECK(leading(svcca_freeze{.threshold = 0.05, .patience = 1}, run) ==
          std::vector<std::size_t>{0, 1, 3, 3, 3, 3});
}
