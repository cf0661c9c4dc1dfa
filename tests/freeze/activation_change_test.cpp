// SPDX-License-Identifier: MIT
#include "frostline/freeze/scorers/activation_change.hpp"

#include "freeze/scorer_views.hpp"
#include "support/catch.hpp"

using namespace frostline;
using namespace scorer_views;

TEST_CASE("the activation change is relative to the outputs of the reference") {
    CHECK(*score_of_outputs(activation_change(), doubles{3, 5}, {3, 4}, 2, 1) == Catch::Approx(0.2));
    CHECK(score_of_outputs(activation_change(), doubles{3, 4}, {3, 4}, 2, 1) == 0.0);
    CHECK_FALSE(score_of_outputs(activation_change(), doubles{3, 4}, {0, 0}, 2, 1));
    CHECK_FALSE(score_of_outputs(activation_change(), doubles{3, 4}, {}, 2, 1));
}

TEST_CASE("a scorer of outputs observes as many samples and the reference that it is told to") {
    CHECK(activation_change().observes.probe_samples == 64);
    CHECK(activation_change().observes.reference.decisions == 1);
    const activation_change other({.samples = 10, .reference = probe_reference::initial()});
    CHECK(other.observes.probe_samples == 10);
    CHECK(other.observes.reference.of == probe_reference::kind::initial);
}
