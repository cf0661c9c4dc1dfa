// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/gradient_change.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("the gradient change follows a trace computed by hand") {
    gradient_change scorer;
    // |sum|_1 / steps: 2, 2, 1, 0, 3.
    CHECK_FALSE(score_of_gradients(scorer, {1, -3}, 2, 0));
    CHECK(score_of_gradients(scorer, {3, -3}, 3, 1) == 0.0);
    CHECK(*score_of_gradients(scorer, {-1, 0}, 1, 2) == Catch::Approx(0.5));
    CHECK(*score_of_gradients(scorer, {0, 0}, 1, 3) == Catch::Approx(1));
    CHECK_FALSE(score_of_gradients(scorer, {3, 0}, 1, 4));  // of nothing
}

TEST_CASE("the gradient change of a block forgets what was before it was frozen, and before the run") {
    gradient_change scorer;
    for (const std::size_t block : {0u, 2u}) score_of_gradients(scorer, {1.0 + block}, 1, 0, block);
    CHECK(*score_of_gradients(scorer, {2}, 1, 1, 0) == Catch::Approx(1));
    CHECK(*score_of_gradients(scorer, {4}, 1, 2, 0) == Catch::Approx(1));
    CHECK_FALSE(score_of_gradients(scorer, {3}, 1, 2, 2));
    CHECK(*score_of_gradients(scorer, {6}, 1, 3, 2) == Catch::Approx(1));
    CHECK_FALSE(score_of_gradients(scorer, {6}, 1, 0, 0));
}

TEST_CASE("the gradient change is AutoFreeze's, as NumPy computes it") {
    const auto file = golden::load("scorers");
    const auto& trace = file.at("gradient_change");
    gradient_change scorer;
    const auto size = trace.at("size").get<std::size_t>();
    for (std::size_t interval = 0; interval < trace.at("steps").size(); ++interval) {
        const auto steps = trace.at("steps")[interval].get<std::size_t>();
        doubles sum(size);
        for (std::size_t step = 0; step < steps; ++step) {
            const auto name = "gradient." + std::to_string(interval) + "." + std::to_string(step);
            const auto gradient = generated(name, size, 1.0 / static_cast<double>(interval + 1), 0.1);
            for (std::size_t i = 0; i < size; ++i) sum[i] += gradient[i];
        }
        const auto score = score_of_gradients(scorer, sum, steps, interval);
        const auto& expected = trace.at("expected")[interval];
        INFO("interval " << interval);
        REQUIRE(score.has_value() == !expected.is_null());
        if (score) CHECK(*score == Catch::Approx(expected.get<double>()).epsilon(1e-9));
    }
}
