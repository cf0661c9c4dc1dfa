// SPDX-License-Identifier: MIT
#include "frostline/freeze/any_policy.hpp"

#include "frostline/freeze/policies/linear_schedule.hpp"
#include "support/catch.hpp"

using namespace frostline;

static_assert(freezing_policy<any_policy>);

TEST_CASE("any_policy answers as what it holds") {
    const linear_schedule inside{.start = 0, .end = 1, .share = 1};
    const any_policy policy("linear", inside);
    CHECK(policy.name() == "linear");
    for (std::size_t epoch = 0; epoch <= 4; ++epoch) {
        training_view view;
        view.epoch = epoch;
        view.epochs = view.last_freezable = 4;
        CHECK(policy(view) == inside(view));
        CHECK(policy(view) == epoch);
    }
}

TEST_CASE("any_policy holds a lambda, and copies answer alike") {
    const any_policy policy("three", [](const training_view& view) { return view.frozen + 3; });
    const any_policy copy = policy;
    training_view view;
    view.frozen = 1;
    CHECK(policy(view) == 4);
    view.frozen = 2;
    CHECK(copy(view) == 5);
    CHECK(copy.name() == "three");
}
