// SPDX-License-Identifier: MIT
#include "frostline/testing/scorer_check.hpp"

#include "frostline/freeze/named_scorer.hpp"
#include "frostline/testing/archetypes.hpp"
#include "support/catch.hpp"

#include <memory>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

constexpr observations weights{.previous_weights = true};

template <class Scorer>
void scorer_breaks(const Scorer& broken, const std::string& sentence) {
    const auto problems = check_scorer<float>(broken);
    INFO(sentence);
    REQUIRE(!problems.empty());
    CHECK_THAT(problems.front(), StartsWith(sentence));
}

struct shared_state {
    observations observes = weights;
    std::shared_ptr<double> calls = std::make_shared<double>(0);
    std::optional<double> operator()(const block_view<float>& view) {
        if (view.steps == 0) return std::nullopt;
        if (view.decision == 0) *calls = 0;
        return *calls += view.weights[0] + view.weights.size();
    }
};
struct random_numbers : shared_state {
    std::optional<double> operator()(const block_view<float>&) { return ++*calls; }
};
// As it should be, were it not for what the others change.
struct sum_of_weights {
    observations observes = weights;
    std::vector<double> sums{};
    std::optional<double> operator()(const block_view<float>& view) {
        if (view.steps == 0) return std::nullopt;
        if (view.block >= sums.size()) sums.resize(view.block + 1);
        if (view.decision == 0) sums[view.block] = 0;
        return sums[view.block] += view.weights[0];
    }
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit("sums", sums);
    }
};
struct hidden_state {
    observations observes = weights;
    sum_of_weights inner{};
    std::optional<double> operator()(const block_view<float>& view) { return inner(view); }
};
struct never_forgets : sum_of_weights {
    std::optional<double> operator()(const block_view<float>& view) {
        if (view.steps == 0) return std::nullopt;
        if (view.block >= sums.size()) sums.resize(view.block + 1);
        return sums[view.block] += view.weights[0];
    }
};
struct one_state_for_all : sum_of_weights {
    std::optional<double> operator()(const block_view<float>& view) {
        if (view.steps == 0) return std::nullopt;
        sums.resize(1);
        if (view.decision == 0) sums[0] = 0;
        return sums[0] += view.weights[0];
    }
};
struct always_zero {
    observations observes{};
    std::optional<double> operator()(const block_view<float>&) const { return 0; }
};
struct divides_by_zero {
    observations observes = weights;
    std::optional<double> operator()(const block_view<float>& view) const {
        if (view.steps == 0) return std::nullopt;
        double change = 0, length = 0;
        for (std::size_t i = 0; i < view.weights.size(); ++i) {
            change += std::abs(view.weights[i] - view.previous_weights[i]);
            length += std::abs(view.previous_weights[i]);
        }
        return change / length;
    }
};
struct overflows {
    observations observes = weights;
    std::optional<double> operator()(const block_view<float>& view) const {
        if (view.steps == 0) return std::nullopt;
        float square = 0;
        for (const float weight : view.weights) square += weight * weight;
        return square == 0 ? 0 : square / square;
    }
};

}  // namespace

TEST_CASE("every scorer of the library keeps what a scorer has to keep") {
    for (const char* text :
         {"weight_change", "weight_change:per_learning_rate=no", "weight_change:measure=mean_l1",
          "weight_change:measure=raw_l1", "weight_cosine", "weight_cosine:since=start", "path_ratio",
          "effective_perturbation", "gradient_norm", "gradient_change", "gradient_delta",
          "sensitivity_uncertainty", "activation_change", "activation_change:decisions=3",
          "activation_change:reference=initial", "similarity_preserving_loss", "linear_cka", "svcca"}) {
        INFO(text);
        CHECK(check_scorer<float>(named_scorer<float>(text)) == std::vector<std::string>{});
        CHECK(check_scorer<double>(named_scorer<double>(text), 3) == std::vector<std::string>{});
    }
}

TEST_CASE("the archetype of a scorer keeps what a scorer has to keep") {
    CHECK(check_scorer<float>(scorer_archetype{}).empty());
    CHECK(check_scorer<float>(sum_of_weights{}).empty());
}

TEST_CASE("the check finds each promise that a scorer breaks") {
    scorer_breaks(random_numbers{}, "the same views do not give the same scores");
    scorer_breaks(never_forgets{}, "a second run does not start without a past");
    scorer_breaks(one_state_for_all{}, "the scores of a block depend on the blocks before it");
    scorer_breaks(hidden_state{},
                  "a scorer that is restored in the middle of a run does not go on as before");
    scorer_breaks(always_zero{}, "a score without evidence");
    scorer_breaks(divides_by_zero{}, "a score is NaN where weights, gradients and outputs are all zero");
    scorer_breaks(overflows{}, "a score is NaN where weights, gradients and outputs are huge");
    // Each problem is found by itself, too.
    const auto problems = check_scorer<float>(shared_state{});
    CHECK(std::any_of(problems.begin(), problems.end(), [](const std::string& problem) {
        return problem.starts_with("copies share state: decision 3 of block 0 gives");
    }));
}

TEST_CASE("the check finds what a scorer reads and does not observe, which is not there in a run") {
    const auto reads = [](const observations& declared, auto look) {
        struct reading {
            observations observes;
            decltype(look) read;
            std::optional<double> operator()(const block_view<float>& view) const {
                if (view.steps == 0) return std::nullopt;
                return static_cast<double>(read(view));
            }
        };
        return check_scorer(reading{declared, look});
    };
    const auto of_weights = [](const auto& view) { return view.weights[3] - view.previous_weights[3]; };
    CHECK(reads(weights, of_weights).empty());
    CHECK_THAT(reads({}, of_weights).at(0), StartsWith("the scorer reads previous_weights, but"));
    CHECK_THAT(reads(weights, [](const auto& view) { return view.initial_weights[0]; }).at(0),
               StartsWith("the scorer reads initial_weights"));
    CHECK_THAT(reads(weights, [](const auto& view) { return view.path_length; }).at(0),
               StartsWith("the scorer reads path_length"));
    CHECK_THAT(reads({.gradient_pair = true}, [](const auto& view) { return view.gradient_sum[1]; }).at(0),
               StartsWith("the scorer reads gradient_sum"));
    CHECK_THAT(reads({}, [](const auto& view) { return view.previous_gradient[2]; }).at(0),
               StartsWith("the scorer reads gradients"));
    CHECK_THAT(reads({}, [](const auto& view) { return view.outputs[view.channels]; }).at(0),
               StartsWith("the scorer reads outputs"));
}

TEST_CASE("an invented run shows a scorer no more than it observes") {
    const scorer_trace<float> nothing({}, 0, 1);
    const auto view = nothing.view(1, 2);
    CHECK(view.block == 1);
    CHECK(view.decision == 2);
    CHECK_FALSE(view.weights.empty());
    CHECK(view.previous_weights.empty());
    CHECK(view.initial_weights.empty());
    CHECK(view.path_length == 0);
    CHECK(view.gradient_sum.empty());
    CHECK(view.gradient.empty());
    CHECK(view.outputs.empty());
    CHECK(view.reference_outputs.empty());

    const scorer_trace<float> outputs({.probe_samples = 64, .reference = probe_reference::decisions_ago(3)},
                                      0, 1);
    CHECK(outputs.view(0, 0).reference_outputs.empty());
    CHECK(outputs.view(0, 1).reference_outputs.empty());
    CHECK(outputs.view(0, 2).reference_outputs.size() == outputs.view(0, 2).outputs.size());
}
