// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/budget.hpp"

#include "support/catch.hpp"

#include <vector>

using namespace frostline;

namespace {

// Three blocks of 1 forward and 2 backward, one of them for the input. With 0, 1, 2 frozen a step costs 8, 6,
// 4: the first block that learns has no input gradient.
const std::vector<block_costs> costs(3, {.forward_flops = 1, .backward_flops = 2, .backward_input_flops = 1});

training_view after_epoch(std::size_t epoch, double flops, std::size_t frozen = 0) {
    training_view view;
    view.epoch = epoch;
    view.epochs = 10;
    view.blocks = 3;
    view.last_freezable = 2;
    view.frozen = frozen;
    view.costs = costs;
    view.spent = {.flops = flops, .full_flops = 80, .seconds = 2 * flops};
    return view;
}

}  // namespace

TEST_CASE("a budget freezes as late as a linear rise to the end allows") {
    // From now on 6 a step on average with nothing frozen, 5 with one block, 4 with two.
    const budget policy{.share = 0.8};          // 64 in all
    CHECK(policy(after_epoch(1, 8)) == 0);      // 9 * 6 = 54 of 56 left
    CHECK(policy(after_epoch(2, 16)) == 0);     // 8 * 6 = 48 of 48
    CHECK(policy(after_epoch(3, 24)) == 1);     // 7 * 6 = 42 of 40; 7 * 5 = 35
    CHECK(policy(after_epoch(4, 30, 1)) == 1);  // 6 * 5 = 30 of 34
    CHECK(policy(after_epoch(6, 42, 1)) == 1);  // 4 * 5 = 20 of 22
    CHECK(policy(after_epoch(9, 60, 1)) == 2);  // 1 * 5 of 4
    CHECK(policy(after_epoch(9, 70, 1)) == 2);  // nothing is left: everything
    CHECK(budget{.share = 1}(after_epoch(5, 40)) == 0);
    CHECK(budget{.share = 0.1}(after_epoch(1, 8)) == 2);
}

TEST_CASE("a budget of seconds takes the pace so far for that of the rest") {
    const budget policy{.seconds = 128};  // of 160
    CHECK(policy(after_epoch(2, 16)) == 0);
    CHECK(policy(after_epoch(3, 24)) == 1);
}

TEST_CASE("a budget freezes nothing that it cannot reckon, and never thaws") {
    CHECK(budget{}(training_view{}) == 0);
    auto unmeasured = after_epoch(3, 24);
    unmeasured.spent.seconds = 0;
    CHECK(budget{.seconds = 1}(unmeasured) == 0);
    CHECK(budget{.share = 1}(after_epoch(1, 8, 2)) == 2);
}
