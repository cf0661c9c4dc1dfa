// SPDX-License-Identifier: MIT
#include "frostline/freeze/any_scorer.hpp"

#include "frostline/freeze/scorers/weight_change.hpp"
#include "support/catch.hpp"

#include <vector>

using namespace frostline;

static_assert(scorer<any_scorer<float>, float>);
static_assert(scorer<any_scorer<double>, double>);

TEST_CASE("any_scorer scores as what it holds, and observes what that observes") {
    any_scorer<float> scorer("weight_change", weight_change{});
    CHECK(scorer.name() == "weight_change");
    CHECK(scorer.observes.previous_weights);
    const std::vector<float> before{3, 4}, now{3, 5};
    const block_view<float> view{.weights = now, .previous_weights = before, .learning_rate_sum = 0.5};
    CHECK(scorer(view) == weight_change{}(view));
    CHECK(*scorer(view) == Catch::Approx(1.0 / 5 / 0.5));
    CHECK_FALSE(scorer({.weights = now, .previous_weights = before}));
}

TEST_CASE("copies of any_scorer share no state") {
    struct counting {
        observations observes{};
        double calls = 0;
        std::optional<double> operator()(const block_view<float>&) { return ++calls; }
    };
    any_scorer<float> scorer("counting", counting{});
    CHECK_FALSE(scorer.observes.previous_weights);
    CHECK(scorer({}) == 1.0);
    auto copy = scorer;
    CHECK(scorer({}) == 2.0);
    CHECK(scorer({}) == 3.0);
    CHECK(copy({}) == 2.0);
}
