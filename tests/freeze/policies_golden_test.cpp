// SPDX-License-Identifier: MIT
// Policies against numbers that NumPy computed from the published formulas:
// tests/golden/make_policy_golden.py.
#include "frostline/freeze/policies/auto_freeze.hpp"
#include "frostline/freeze/policies/egeria.hpp"
#include "frostline/freeze/policies/freeze_out.hpp"
#include "frostline/freeze/policies/linear_schedule.hpp"
#include "support/catch.hpp"
#include "support/golden.hpp"
#include "traces.hpp"

using namespace frostline;
using numbers = std::vector<std::size_t>;
using traces::leading;

namespace {

const golden::json& cases() {
    static const golden::json read = golden::load("policies");
    return read;
}

traces::trace scores_of(const golden::json& given) {
    traces::trace scores;
    for (const auto& decision : given) {
        decision_scores of_decision;
        for (const auto& score : decision)
            of_decision.push_back(score.is_null() ? std::nullopt : std::optional(score.get<double>()));
        scores.push_back(of_decision);
    }
    return scores;
}

}  // namespace

TEST_CASE("AutoFreeze decides as NumPy computes it") {
    for (const auto& given : cases()["auto_freeze"])
        CHECK(leading(auto_freeze{.percentile = given["percentile"]},
                      {.scores = scores_of(given["scores"])}) == given["frozen"].get<numbers>());
}

TEST_CASE("FreezeOut sets the rates and freezes as NumPy computes it") {
    for (const auto& given : cases()["freeze_out"]) {
        const freeze_out policy{.first = given["first"], .cubed = given["cubed"], .scaled = given["scaled"]};
        const std::size_t layers = given["layers"], steps = given["steps"];
        for (std::size_t step = 0; step < steps; ++step)
            for (std::size_t layer = 0; layer < layers; ++layer)
                CHECK(policy.learning_rate({.block = layer,
                                            .blocks = layers,
                                            .step = step,
                                            .steps = steps,
                                            .peak_rate = given["rate"]}) ==
                      Catch::Approx(given["rates"][step][layer].get<double>()).margin(1e-11));
        CHECK(leading(policy, {.scores = traces::trace(steps, decision_scores(layers))}) ==
              given["frozen"].get<numbers>());
    }
}

TEST_CASE("the linear schedule freezes as Composer's layer freezing") {
    for (const auto& given : cases()["linear"])
        CHECK(leading(linear_schedule{.start = given["start"], .share = given["share"]},
                      {.scores = traces::trace(given["epochs"], decision_scores(given["layers"]))}) ==
              given["frozen"].get<numbers>());
}

TEST_CASE("Egeria decides as NumPy computes it") {
    for (const auto& given : cases()["egeria"])
        CHECK(leading(egeria{.window = given["window"],
                             .tolerance = given["tolerance"],
                             .patience = given["patience"]},
                      {.scores = scores_of(given["scores"]),
                       .learning_rates = given["rates"].get<std::vector<double>>()}) ==
              given["frozen"].get<numbers>());
}
