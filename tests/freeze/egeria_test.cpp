// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/egeria.hpp"

#include "support/catch.hpp"
#include "traces.hpp"

using namespace frostline;
using numbers = std::vector<std::size_t>;

TEST_CASE("Egeria follows a trace computed by hand") {
    // Averages over two: 7, 5, 3.5, 3, 3, 3, 3. Slopes: -2, -1.5, -0.5, 0, 0, 0. Flat is below 0.4.
    const auto block = [](double score) { return decision_scores{score, score, score, 1.0}; };
    traces::run run;
    for (const double score : {8.0, 6.0, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0})
        run.scores.push_back(block(score));
    const egeria policy{.window = 2, .tolerance = 0.2, .patience = 2};
    // The first flat slope is that of decision 6 (3, 3), the second that of decision 7; then one at a time.
    CHECK(leading(policy, run) == numbers{0, 0, 0, 0, 0, 0, 1, 2, 3});
    CHECK(leading(egeria{.window = 2, .tolerance = 0.26, .patience = 2}, run) ==
          numbers{0, 0, 0, 0, 0, 1, 2, 3, 3});
    CHECK(leading(egeria{.window = 2, .tolerance = 0.2, .patience = 1}, run) ==
          numbers{0, 0, 0, 0, 0, 1, 2, 3, 3});

    // The rate drops tenfold behind decision 8: all thaw, and need a window and patience again.
    run.learning_rates = {1, 1, 1, 1, 1, 1, 1, 0.1, 0.1};
    CHECK(leading(policy, run) == numbers{0, 0, 0, 0, 0, 0, 1, 0, 0});
}

TEST_CASE("Egeria starts anew after a drop of the learning rate") {
    traces::run run;
    const auto fall = {8.0, 6.0, 4.0, 3.0, 3.0, 3.0, 3.0};
    for (int phase = 0; phase < 2; ++phase)
        for (const double score : fall) {
            run.scores.push_back({score, 1.0});
            run.learning_rates.push_back(phase == 0 ? 1.0 : 0.1);
        }
    run.scores.push_back({3.0, 1.0});
    run.learning_rates.push_back(0.1);
    // The thaw is decision 8, so that the second fall is seen from 6.0 on: -1.5 is its steepest slope.
    CHECK(leading(egeria{.window = 2, .tolerance = 0.2, .patience = 2}, run) ==
          numbers{0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1});
}
