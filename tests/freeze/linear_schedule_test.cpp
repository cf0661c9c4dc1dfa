// SPDX-License-Identifier: MIT
#include "frostline/freeze/policies/linear_schedule.hpp"

#include "support/catch.hpp"

#include <cmath>

using namespace frostline;

namespace {

std::size_t after(const linear_schedule& policy, std::size_t epoch, std::size_t epochs = 10,
                  std::size_t last = 8, std::size_t frozen = 0) {
    training_view view;
    view.epoch = epoch;
    view.epochs = epochs;
    view.blocks = last + 1;
    view.last_freezable = last;
    view.frozen = frozen;
    return policy(view);
}

}  // namespace

TEST_CASE("a linear schedule freezes in equal steps between its start and its end") {
    const linear_schedule policy{.start = 0.2, .end = 0.6, .share = 1};
    const std::vector<std::size_t> expected{0, 0, 0, 2, 4, 6, 8, 8, 8, 8, 8};
    for (std::size_t epoch = 0; epoch <= 10; ++epoch) {
        INFO("epoch " << epoch);
        CHECK(after(policy, epoch) == expected[epoch]);
    }
}

TEST_CASE("a linear schedule rounds down, and freezes its share at the end") {
    const linear_schedule policy{.start = 0, .end = 1, .share = 0.5};
    const std::vector<std::size_t> expected{0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4};  // 0.4 blocks an epoch
    for (std::size_t epoch = 0; epoch <= 10; ++epoch) {
        INFO("epoch " << epoch);
        CHECK(after(policy, epoch) == expected[epoch]);
    }
}

TEST_CASE("a linear schedule reaches whole numbers of blocks without losing one to rounding") {
    for (std::size_t epochs = 1; epochs <= 60; ++epochs)
        for (std::size_t epoch = 0; epoch <= epochs; ++epoch)
            CHECK(after({.start = 0, .end = 1, .share = 1}, epoch, epochs, epochs) == epoch);
}

TEST_CASE("a linear schedule whose end is its start jumps") {
    const linear_schedule policy{.start = 0.5, .end = 0.5, .share = 0.75};
    CHECK(after(policy, 4) == 0);
    CHECK(after(policy, 5) == 6);
    CHECK(after(policy, 10) == 6);
}

TEST_CASE("a linear schedule whose end is before its start is refused") {
    CHECK_THROWS_AS(after({.start = 0.6, .end = 0.2}, 1), argument_error);
    CHECK_THROWS_AS((linear_schedule{.start = 0.6, .end = 0.2}).at_start({}), argument_error);  // before a step
}

TEST_CASE("a linear schedule refuses a share that is none before the first step") {
    for (const double share : {-0.1, 1.1, std::nan("")}) {
        CHECK_THROWS_AS(after({.start = 0, .end = 0, .share = share}, 1), argument_error);
        CHECK_THROWS_AS((linear_schedule{.share = share}).at_start({}), argument_error);
    }
}

TEST_CASE("a linear schedule never thaws, and freezes nothing where nothing can be") {
    CHECK(after({}, 1, 10, 8, 5) == 5);
    CHECK(after({}, 10, 10, 0) == 0);
}
