// SPDX-License-Identifier: MIT
#include "frostline/freeze/named_scorer.hpp"

#include "support/catch.hpp"

#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

void refused_scorer(const std::string& text, const std::string& message) {
    INFO(text);
    CHECK_THROWS_AS(named_scorer<float>(text), argument_error);
    CHECK_THROWS_WITH(named_scorer<float>(text), ContainsSubstring(message));
}

observations observed_by(const std::string& text) { return named_scorer<float>(text).observes; }

}  // namespace

TEST_CASE("a scorer is found by its name, and observes what its type observes") {
    for (const char* name : {"weight_change", "weight_cosine", "path_ratio", "effective_perturbation",
                             "gradient_norm", "gradient_change", "gradient_delta", "sensitivity_uncertainty",
                             "activation_change", "similarity_preserving_loss", "linear_cka", "svcca"})
        CHECK(named_scorer<double>(name).name() == name);
    CHECK(observed_by("weight_change").previous_weights);
    CHECK(observed_by("path_ratio").path_every == 8);
    CHECK(observed_by("gradient_norm").gradient_sum);
    CHECK(observed_by("gradient_delta").gradient_pair);
    CHECK(observed_by("linear_cka").probe_samples == 64);
    CHECK(observed_by("linear_cka").reference.of == probe_reference::kind::earlier);
    CHECK(observed_by("linear_cka").reference.decisions == 1);
}

TEST_CASE("a named scorer takes its options") {
    CHECK(observed_by("path_ratio:every=3").path_every == 3);
    CHECK(observed_by("weight_cosine:since=start").initial_weights);
    CHECK(observed_by("svcca:samples=100,reference=initial").probe_samples == 100);
    CHECK(observed_by("svcca:samples=100,reference=initial").reference.of == probe_reference::kind::initial);
    CHECK(observed_by("similarity_preserving_loss:decisions=4").reference.decisions == 4);

    const std::vector<float> before{3, 4}, now{3, 5};
    const block_view<float> view{
        .weights = now, .previous_weights = before, .learning_rate_sum = 0.5, .steps = 1, .parameters = 2};
    const auto score = [&](const char* text) { return *named_scorer<float>(text)(view); };
    CHECK(score("weight_change") == Catch::Approx(0.4));
    CHECK(score("weight_change:per_learning_rate=no") == Catch::Approx(0.2));
    CHECK(score("weight_change:measure=mean_l1") == Catch::Approx(1));
    CHECK(score("weight_change:measure=raw_l1,per_learning_rate=no") == Catch::Approx(1));

    const auto second_score = [](const char* text, float first, float second) {
        auto scorer = named_scorer<float>(text);
        std::optional<double> given;
        for (const std::size_t decision : {0u, 1u}) {
            const std::vector<float> start{0}, end{decision == 0 ? first : second};
            given = scorer({.decision = decision,
                            .weights = end,
                            .previous_weights = start,
                            .steps = 1,
                            .parameters = 1,
                            .gradient_sum = end});
        }
        return *given;
    };
    // Averages of 1 and -1 with smoothing 1/2: -1/4 and 3/4.
    CHECK(second_score("effective_perturbation:smoothing=0.5", 1, -1) == Catch::Approx(1.0 / 3));
    CHECK(second_score("effective_perturbation", 1, -1) < 0.01);
    CHECK(second_score("sensitivity_uncertainty:sensitivity_smoothing=0,uncertainty_smoothing=0", 1, 3) == 0);
    CHECK(second_score("sensitivity_uncertainty:sensitivity_smoothing=0.5,uncertainty_smoothing=0", 1, 3) ==
          Catch::Approx(7.0 / 3 * 2 / 3));
}

TEST_CASE("an unknown scorer or option is refused, and the known ones are named") {
    refused_scorer("loss", "there is no scorer \"loss\", known are weight_change, weight_cosine, path_ratio");
    refused_scorer("", "has no name");
    refused_scorer("gradient_norm:every=2", "gradient_norm has no option \"every\", it takes none");
    refused_scorer("linear_cka:variance=1",
                   "no option \"variance\", known are samples, reference, decisions");
    refused_scorer("weight_change:measure=l3",
                   "weight_change: measure must be relative_l2 or mean_l1 or raw_l1, found \"l3\"");
}

TEST_CASE("an option of a scorer outside its range is refused") {
    refused_scorer("path_ratio:every=0", "path_ratio: every must be a number from 1");
    refused_scorer("linear_cka:samples=1", "linear_cka: samples must be");
    refused_scorer("linear_cka:decisions=0", "linear_cka: decisions must be");
    refused_scorer("linear_cka:reference=later", "reference must be earlier or initial, found \"later\"");
    refused_scorer("svcca:variance=1.5", "svcca: variance must be a number from 0 to 1, found 1.5");
    refused_scorer("effective_perturbation:smoothing=2", "smoothing must be a number from 0 to 1, found 2");
}
