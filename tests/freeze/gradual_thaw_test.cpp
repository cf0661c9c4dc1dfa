// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/gradual_thaw.hpp"

#include "frostline/testing/policy_check.hpp"
#include "support/catch.hpp"
#include "traces.hpp"

using namespace frostline;
using numbers = std::vector<std::size_t>;

namespace {

traces::run of_decisions(std::size_t decisions) {
    return {.scores = traces::trace(decisions, decision_scores(5, 0.0))};
}

}  // namespace

TEST_CASE("gradual_thaw begins with the head alone, and thaws block by block from the head on") {
    const gradual_thaw policy{.start = 0.2, .end = 0.6};
    CHECK(policy.at_start({.epochs = 10, .blocks = 5, .last_freezable = 4}) == 4);
    CHECK(leading(policy, of_decisions(10)) == numbers{4, 4, 3, 2, 1, 0, 0, 0, 0, 0});
}

TEST_CASE("gradual_thaw leaves the blocks beyond its share frozen") {
    CHECK(leading(gradual_thaw{.start = 0, .end = 0.5, .share = 0.5}, of_decisions(8)) ==
          numbers{4, 3, 3, 2, 2, 2, 2, 2});
    CHECK(leading(gradual_thaw{.share = 0}, of_decisions(3)) == numbers{4, 4, 4});
}

TEST_CASE("gradual_thaw says that it thaws") {
    CHECK(may_thaw(gradual_thaw{}));
    CHECK(check_policy(gradual_thaw{}).empty());
}

TEST_CASE("gradual_thaw refuses to end before it starts, before the first step") {
    CHECK_THROWS_AS(
        (gradual_thaw{.start = 0.6, .end = 0.2}.at_start({.epochs = 10, .blocks = 5, .last_freezable = 4})),
        argument_error);
}
