// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/linear_cka.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("the CKA of single features is their squared correlation") {
    // Correlation 1/2.
    CHECK(*score_of_outputs(linear_cka(), doubles{1, 2, 3}, {11, 13, 12}, 3, 1) == Catch::Approx(0.75));
    CHECK(*score_of_outputs(linear_cka(), doubles{1, 2, 3}, {1, 0, 1}, 3, 1) == Catch::Approx(1));
    CHECK(*score_of_outputs(linear_cka(), doubles{1, 2, 3}, {9, 6, 3}, 3, 1) ==
          Catch::Approx(0).margin(1e-15));
}

TEST_CASE("identical features have a CKA of exactly 1, and so a score of 0") {
    const auto outputs = generated<float>("outputs", 20 * 3000, 1, 5);
    CHECK(score_of_outputs(linear_cka(), outputs, outputs, 20, 8) == 0.0);
}

TEST_CASE("CKA does not see rotation, scale and constant shifts, and sees other features") {
    const auto outputs = generated("outputs", 20 * 30);
    auto moved = turned(outputs, 30, 0.7, 3);
    for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += static_cast<double>(i % 30);
    CHECK(*score_of_outputs(linear_cka(), moved, outputs, 20, 5) < 1e-14);
    CHECK(*score_of_outputs(linear_cka(), generated("others", 20 * 30), outputs, 20, 5) > 0.1);
    auto stretched = outputs;
    for (std::size_t i = 0; i < stretched.size(); i += 30) stretched[i] *= 5;
    CHECK(*score_of_outputs(linear_cka(), stretched, outputs, 20, 5) > 0.01);
}

TEST_CASE("CKA is what NumPy computes from the covariances of the features") {
    for_each_golden_score(linear_cka(), "linear_cka", [](std::optional<double> score, double expected) {
        CHECK(*score == Catch::Approx(1 - expected).epsilon(1e-9));
    });
}

TEST_CASE("outputs that are the same for all samples have no CKA") {
    CHECK_FALSE(score_of_outputs(linear_cka(), doubles{7, 8, 7, 8, 7, 8}, {1, 2, 3, 4, 5, 6}, 3, 2));
    CHECK_FALSE(score_of_outputs(linear_cka(), doubles{1, 2, 3, 4, 5, 6}, {0, 0, 0, 0, 0, 0}, 3, 2));
    CHECK_FALSE(score_of_outputs(linear_cka(), doubles{1, 2, 3}, {}, 3, 1));
}
