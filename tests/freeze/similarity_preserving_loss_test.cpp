// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/similarity_preserving_loss.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("the similarity-preserving loss of a small example, by hand") {
    // Similarities: the unit matrix; all equal, so rows of 1 / sqrt(2). Squared differences
    // 2 ((1 - 1/sqrt(2))^2 + 1/2) = 4 - 2 sqrt(2), over 2 x 2 pairs.
    CHECK(*score_of_outputs(similarity_preserving_loss(), doubles{1, 0, 0, 1}, {1, 0, 1, 0}, 2, 2) ==
          Catch::Approx(1 - std::sqrt(0.5)));
}

TEST_CASE("the similarity-preserving loss does not see rotation and scale") {
    const auto outputs = generated("outputs", 16 * 40);
    const similarity_preserving_loss loss;
    CHECK(score_of_outputs(loss, outputs, outputs, 16, 8) == 0.0);
    CHECK(*score_of_outputs(loss, turned(outputs, 40, 0.7, 3), outputs, 16, 8) < 1e-25);
    CHECK(*score_of_outputs(loss, generated("others", 16 * 40), outputs, 16, 8) > 1e-3);
}

TEST_CASE("the similarity-preserving loss is Egeria's plasticity, as NumPy computes it") {
    for_each_golden_score(similarity_preserving_loss(), "similarity_preserving_loss",
                          [](std::optional<double> score, double expected) {
                              CHECK(*score == Catch::Approx(expected).epsilon(1e-9));
                          });
}

TEST_CASE("samples without any output are like no others") {
    CHECK(score_of_outputs(similarity_preserving_loss(), doubles{0, 0, 0, 0}, {0, 0, 0, 0}, 2, 2) == 0.0);
    CHECK(score_of_outputs(similarity_preserving_loss(), doubles{0, 0, 0, 1}, {1, 0, 0, 1}, 2, 2) == 0.25);
    CHECK_FALSE(score_of_outputs(similarity_preserving_loss(), doubles{1, 0}, {}, 2, 1));
}
