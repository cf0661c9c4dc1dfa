// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/layer_out.hpp"

#include "support/catch.hpp"
#include "traces.hpp"

#include <cmath>

using namespace frostline;

namespace {

traces::run epochs(std::size_t count, std::size_t blocks) {
    return {.scores = traces::trace(count, decision_scores(blocks))};
}

}  // namespace

TEST_CASE("LayerOut freezes early blocks most often, and thaws them again") {
    const auto wanted = follow(layer_out{.first = 0.9, .last = 0.1, .warm_up = 0}, epochs(2000, 6));
    std::vector<double> shares(6);
    std::size_t changes = 0;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        for (std::size_t block = 0; block < 6; ++block) shares[block] += wanted[i].contains(block) / 2000.0;
        changes += i > 0 && wanted[i] != wanted[i - 1] ? 1 : 0;
    }
    for (std::size_t block = 0; block < 5; ++block)
        CHECK(shares[block] == Catch::Approx(0.9 - 0.2 * static_cast<double>(block)).margin(0.04));
    CHECK(shares[5] == 0);
    CHECK(changes > 1000);
}

TEST_CASE("LayerOut draws the same blocks again for a seed and an epoch, and others for another") {
    const auto run = epochs(20, 8);
    CHECK(follow(layer_out{.seed = 1}, run) == follow(layer_out{.seed = 1}, run));
    CHECK(follow(layer_out{.seed = 1}, run) != follow(layer_out{.seed = 2}, run));
}

TEST_CASE("LayerOut freezes nothing during its warm-up") {
    const auto wanted = follow(layer_out{.first = 1, .last = 1, .warm_up = 0.5}, epochs(6, 2));
    for (std::size_t i = 0; i < 6; ++i) CHECK(wanted[i] == (i < 2 ? 0 : 1));
    CHECK(layer_out{.warm_up = 0}(training_view{}) == 0);
}

TEST_CASE("LayerOut refuses what is no probability") {
    for (const double probability : {-0.1, 1.1, std::nan("")}) {
        CHECK_THROWS_AS(layer_out{.first = probability}(training_view{}), argument_error);
        CHECK_THROWS_AS(layer_out{.last = probability}(training_view{}), argument_error);
    }
}
