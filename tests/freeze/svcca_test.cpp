// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/svcca.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("the SVCCA of single channels is their correlation") {
    // Correlation 1/2.
    CHECK(*score_of_outputs(svcca(), doubles{1, 2, 3}, {11, 13, 12}, 3, 1) == Catch::Approx(0.5));
    CHECK(*score_of_outputs(svcca(), doubles{1, 2, 3}, {1, 0, 1}, 3, 1) == Catch::Approx(1));
    CHECK(*score_of_outputs(svcca(), doubles{1, 2, 3}, {9, 6, 3}, 3, 1) == Catch::Approx(0).margin(1e-12));
}

TEST_CASE("SVCCA does not see rotation, scale and constant shifts of the channels, and sees other features") {
    const std::size_t channels = 6;
    const auto outputs = generated("outputs", 10 * 12 * channels);
    auto moved = turned(outputs, channels, 0.7, 3);
    for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += static_cast<double>(i % channels);
    CHECK(*score_of_outputs(svcca(), outputs, outputs, 10, channels) < 1e-12);
    CHECK(*score_of_outputs(svcca(), moved, outputs, 10, channels) < 1e-12);
    CHECK(*score_of_outputs(svcca(), generated("others", outputs.size()), outputs, 10, channels) > 0.5);
}

TEST_CASE("SVCCA passes over directions that hold little of the variance") {
    // The second channel is a thousandth of the first and is all that differs.
    auto outputs = generated("outputs", 2 * 50), other = generated("others", 2 * 50);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (i % 2 == 1) {
            outputs[i] *= 1e-3;
            other[i] *= 1e-3;
        } else {
            other[i] = outputs[i];
        }
    }
    CHECK(*score_of_outputs(svcca(), outputs, other, 50, 2) < 1e-4);
    CHECK(*score_of_outputs(svcca({}, 1 - 1e-9), outputs, other, 50, 2) > 0.1);
}

TEST_CASE("SVCCA is what NumPy computes by singular value decomposition of the outputs") {
    for_each_golden_score(svcca(), "svcca", [](std::optional<double> score, double expected) {
        CHECK(*score == Catch::Approx(1 - expected).epsilon(1e-6));
    });
}

TEST_CASE("where there are too few observations for the number of channels there is no SVCCA") {
    const auto outputs = generated("outputs", 10 * 8), other = generated("others", 10 * 8);
    CHECK_FALSE(score_of_outputs(svcca(), outputs, other, 10, 8));
    CHECK(score_of_outputs(svcca(), outputs, other, 10, 2));
    CHECK_FALSE(score_of_outputs(svcca(), doubles{7, 8, 7, 8, 7, 8}, {1, 2, 3, 4, 5, 6}, 3, 2));
    CHECK_FALSE(score_of_outputs(svcca(), doubles{1, 2, 3}, {}, 3, 1));
}

TEST_CASE("SVCCA of all variance passes over channels that are dead") {
    const auto outputs = generated("outputs", 60 * 4), other = generated("others", 60 * 4);
    const auto with_dead = [](const doubles& values) {
        doubles found;
        for (std::size_t i = 0; i < values.size(); ++i) {
            found.push_back(values[i]);
            if (i % 2 == 1) found.push_back(0);
        }
        return found;
    };
    const svcca whole({}, 1);
    const auto wanted = score_of_outputs(whole, outputs, other, 60, 4);
    REQUIRE(wanted);
    const auto found = score_of_outputs(whole, with_dead(outputs), with_dead(other), 60, 6);
    REQUIRE(found);
    CHECK(*found == Catch::Approx(*wanted));
    CHECK_THROWS_WITH(svcca({}, 0), "svcca: variance is 0, expected a share above 0 and up to 1");
    CHECK_THROWS_AS(svcca({}, 1.1), argument_error);
}
