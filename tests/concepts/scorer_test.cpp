// SPDX-License-Identifier: MIT
#include "frostline/concepts/scorer.hpp"

#include "frostline/freeze/any_scorer.hpp"
#include "frostline/freeze/scorers/weight_change.hpp"
#include "support/catch.hpp"

#include <vector>

using namespace frostline;

namespace {

// The smallest model, and what is missing a requirement each.
struct steps_so_far {
    static constexpr observations observes{};
    template <class T>
    std::optional<double> operator()(const block_view<T>& view) {
        return static_cast<double>(view.steps);
    }
};
struct observes_nothing_declared {
    std::optional<double> operator()(const block_view<float>&) { return 0; }
};
struct observes_something_else {
    static constexpr int observes = 1;
    std::optional<double> operator()(const block_view<float>&) { return 0; }
};
struct returns_no_number {
    static constexpr observations observes{};
    const char* operator()(const block_view<float>&) { return ""; }
};
struct returns_nothing {
    static constexpr observations observes{};
    void operator()(const block_view<float>&) {}
};
struct single_precision {
    observations observes{};
    std::optional<double> operator()(const block_view<float>&) { return 0; }
};
struct always_scores {
    observations observes{};
    double operator()(const block_view<double>&) const { return 1; }
};

static_assert(scorer<steps_so_far, float> && scorer<steps_so_far, double>);
static_assert(scorer<weight_change, float> && scorer<weight_change, double>);
static_assert(scorer<any_scorer<float>, float>);
static_assert(scorer<always_scores, double>);
static_assert(scorer<single_precision, float> && !scorer<single_precision, double>);
static_assert(!scorer<any_scorer<float>, double>);
static_assert(!scorer<observes_nothing_declared, float>);
static_assert(!scorer<observes_something_else, float>);
static_assert(!scorer<returns_no_number, float>);
static_assert(!scorer<returns_nothing, float>);
static_assert(!scorer<int, float>);

template <scorer<float> Scorer>
std::optional<double> score_of_three_steps(Scorer scorer) {
    const std::vector<float> weights{1};
    return scorer(block_view<float>{
        .weights = weights, .previous_weights = weights, .learning_rate_sum = 1, .steps = 3});
}

}  // namespace

TEST_CASE("the smallest model of a scorer scores") {
    CHECK(score_of_three_steps(steps_so_far{}) == 3.0);
    CHECK(score_of_three_steps(weight_change{}) == 0.0);
}

TEST_CASE("an unset view is that of nothing: no weights and no steps") {
    const block_view<float> view{};
    CHECK(view.weights.empty());
    CHECK(view.previous_weights.empty());
    CHECK(view.learning_rate_sum == 0);
    CHECK(view.steps == 0);
    CHECK_FALSE(observations{}.previous_weights);
}
