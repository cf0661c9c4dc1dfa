// SPDX-License-Identifier: MIT
#include "frostline/features/drop_plan.hpp"

#include "support/catch.hpp"

#include <limits>
#include <vector>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

namespace {

// With 1000 samples, a block takes the given seconds an epoch to run, and its outputs as many to read.
constexpr std::size_t plenty = std::size_t{1} << 40, samples = 1000;

struct block {
    double seconds_to_run = 0, seconds_to_read = 0;
};

struct question {
    std::vector<block> blocks;
    std::size_t frozen = 0;
    std::size_t epochs_left = 10;
    std::size_t dropped = 0;
    std::size_t budget = plenty;
    std::size_t views = 1, filled_views = 1;
    bool grows = false;
    std::size_t disk_budget = 0;
    double disk_slowness = 10;
};

drop_decision answer(const question& asked) {
    plan_costs costs{.tiers = {{1e9, 1e9}}};
    std::vector<store_tier> tiers{{.name = "memory", .budget = asked.budget}};
    if (asked.disk_budget > 0) {
        tiers.push_back({.name = "disk", .budget = asked.disk_budget, .read_ahead = true});
        costs.tiers.push_back({1e9 / asked.disk_slowness, 1e9 / asked.disk_slowness});
    }
    std::vector<block_costs> blocks;
    std::vector<std::size_t> row_bytes;
    for (const auto& [run, read] : asked.blocks) {
        costs.block_seconds.push_back(run / samples);
        row_bytes.push_back(static_cast<std::size_t>(read * 1e9 / samples));
        blocks.push_back({.forward_flops = 1, .backward_flops = 2});
    }
    return plan_drop({.blocks = blocks,
                      .row_bytes = row_bytes,
                      .tiers = tiers,
                      .samples = samples,
                      .views = asked.views,
                      .epochs_left = asked.epochs_left,
                      .frozen = asked.frozen,
                      .dropped = asked.dropped,
                      .filled_views = asked.filled_views,
                      .tiers_used = asked.dropped > 0 ? tiers.size() : 0,
                      .grows = asked.grows},
                     costs);
}

// Of the option with this cut and so many tiers.
double seconds_of(const drop_decision& decision, std::size_t cut, std::size_t tiers = 1) {
    for (const auto& option : decision.options)
        if (option.dropped == cut && option.tiers == (cut == 0 ? 0 : tiers)) return option.seconds;
    return -1;
}

}  // namespace

TEST_CASE("the plan drops what is cheaper to read than to run") {
    const auto found = answer({.blocks = {block{1, 0.1}, block{1, 0.1}}, .frozen = 1});
    CHECK(found.dropped == 1);
    CHECK(found.reason ==
          "storing the outputs of block 0 takes 100 MB of 1.1e+06 MB in memory; the frozen blocks then need "
          "2 s over the 10 epochs left instead of 10 s");
}

TEST_CASE("the plan never drops what is not frozen") {
    const std::vector<block> blocks{block{1, 0.1}, block{1, 0.01}, block{1, 0.001}};
    for (std::size_t frozen = 0; frozen <= 3; ++frozen)
        CHECK(answer({.blocks = blocks, .frozen = frozen}).dropped == frozen);
    CHECK(answer({.blocks = blocks}).reason == "no block is frozen");
}

TEST_CASE("the plan does not fill a store for the last epoch") {
    question asked{.blocks = {block{1, 0.1}}, .frozen = 1};
    asked.epochs_left = 0;
    CHECK(answer(asked).dropped == 0);
    asked.epochs_left = 1;
    CHECK(answer(asked).dropped == 0);
    CHECK_THAT(answer(asked).reason, ContainsSubstring("storing does not pay over the 1 epoch left"));
    asked.epochs_left = 2;
    CHECK(answer(asked).dropped == 1);
}

TEST_CASE("the plan waits until enough epochs are left for a slow store") {
    // Filling costs 0.8 s, each later epoch saves 0.2 s: it pays from the sixth epoch on.
    question asked{.blocks = {block{1, 0.8}}, .frozen = 1};
    asked.epochs_left = 5;
    CHECK(answer(asked).dropped == 0);
    asked.epochs_left = 6;
    CHECK(answer(asked).dropped == 1);
}

TEST_CASE("the plan does not store what is slower to read than to run") {
    const auto found = answer({.blocks = {block{1, 2}}, .frozen = 1, .epochs_left = 1000});
    CHECK(found.dropped == 0);
    CHECK_THAT(found.reason, ContainsSubstring("storing does not pay"));
}

TEST_CASE("what does not fit is computed in each epoch") {
    question asked{.blocks = {block{1, 0.1}}, .frozen = 1};
    asked.budget = 40'000'000;
    const auto found = answer(asked);
    CHECK(found.dropped == 1);
    // 1 s and 0.04 s to write, then nine times 0.04 s to read and 0.6 s to compute the rest.
    CHECK(seconds_of(found, 1) == Catch::Approx(1 + 0.04 + 9 * (0.04 + 0.6)));
    CHECK_THAT(found.reason, ContainsSubstring("storing 40% of the outputs of block 0 takes 40 MB of 40 MB"));
    asked.budget = 99'999;  // less than a row
    CHECK(answer(asked).dropped == 0);
    CHECK(answer(asked).reason ==
          "no output fits the store: the smallest, behind block 0, takes 100000 bytes "
          "of 1e+05");
    asked.budget = 0;
    CHECK(answer(asked).dropped == 0);
}

TEST_CASE("the plan takes an earlier cut of which more fits") {
    question asked{.blocks = {block{1, 0.1}, block{0.1, 0.4}}, .frozen = 2};
    CHECK(answer(asked).dropped == 1);
    asked.blocks[1].seconds_to_read = 0.15;
    CHECK(answer(asked).dropped == 2);
    asked.budget = 100'000'000;
    CHECK(answer(asked).dropped == 1);
}

TEST_CASE("the plan takes an earlier cut whose outputs are smaller") {
    const std::vector<block> blocks{block{1, 0.01}, block{0.01, 1}, block{1, 1}};
    CHECK(answer({.blocks = blocks, .frozen = 2}).dropped == 1);
}

TEST_CASE("the plan moves the cut only when refilling pays") {
    question asked{.blocks = {block{1, 0.1}, block{0.2, 0.05}}, .frozen = 2, .dropped = 1};
    // Staying costs 0.3 s an epoch; moving 1.25 s once and 0.05 s an epoch from then on.
    asked.epochs_left = 4;
    CHECK(answer(asked).dropped == 1);
    CHECK(answer(asked).reason ==
          "the outputs of block 0 stay stored: no other cut is faster over the 4 epochs left");
    asked.epochs_left = 5;
    CHECK(answer(asked).dropped == 2);
}

TEST_CASE("the plan keeps the present cut when another is equally fast") {
    question asked{.blocks = {block{1, 0.1}, block{0, 0.1}}, .frozen = 2, .epochs_left = 0};
    asked.dropped = 1;
    CHECK(answer(asked).dropped == 1);
    asked.dropped = 2;
    CHECK(answer(asked).dropped == 2);
}

TEST_CASE("the plan uses a filled store to the last epoch") {
    CHECK(answer({.blocks = {block{1, 0.9}}, .frozen = 1, .epochs_left = 1, .dropped = 1}).dropped == 1);
}

TEST_CASE("the plan gives up a cut behind thawed blocks") {
    const std::vector<block> blocks{block{1, 0.1}, block{1, 0.1}, block{1, 0.1}};
    CHECK(answer({.blocks = blocks, .frozen = 1, .dropped = 3}).dropped == 1);
    CHECK(answer({.blocks = blocks, .frozen = 1, .epochs_left = 1, .dropped = 3}).dropped == 0);
    CHECK(answer({.blocks = blocks, .frozen = 0, .dropped = 3}).dropped == 0);
}

TEST_CASE("advancing what is stored is cheaper than computing it from images") {
    question asked{.blocks = {block{1, 0.1}, block{0.2, 0.05}}, .frozen = 2, .dropped = 1, .grows = true};
    // Staying costs 0.3 s an epoch; advancing 0.1 s to read, 0.2 s to run and 0.05 s to write, then 0.05 s.
    asked.epochs_left = 1;
    CHECK(answer(asked).dropped == 1);
    asked.epochs_left = 2;
    CHECK(answer(asked).dropped == 2);
    CHECK(seconds_of(answer(asked), 2) == Catch::Approx(0.35 + 0.05));
    asked.grows = false;
    CHECK(answer(asked).dropped == 1);
}

TEST_CASE("each view has to be filled, and each takes its room") {
    question asked{.blocks = {block{1, 0.1}}, .frozen = 1, .epochs_left = 3, .views = 4};
    CHECK(answer(asked).dropped == 0);
    asked.epochs_left = 5;
    CHECK(answer(asked).dropped == 1);
    CHECK(seconds_of(answer(asked), 1) == Catch::Approx(4 * 1.1 + 0.1));
    CHECK(answer(asked).options.back().bytes == Catch::Approx(400e6));
    asked.budget = 100'000'000;
    CHECK(answer(asked).options.back().share == Catch::Approx(0.25));
    asked.views = 0;
    CHECK(answer(asked).dropped == 0);
    CHECK(answer(asked).reason == "the training set is augmented at random, so that no output comes twice");
}

TEST_CASE("a cut that is partly filled is filled on") {
    question asked{.blocks = {block{1, 0.1}}, .frozen = 1, .epochs_left = 4, .dropped = 1, .views = 4};
    asked.filled_views = 1;
    CHECK(seconds_of(answer(asked), 1) == Catch::Approx(3 * 1.1 + 0.1));
    asked.filled_views = 4;
    CHECK(seconds_of(answer(asked), 1) == Catch::Approx(4 * 0.1));
    // At the later cut, three views come from images and one is advanced.
    asked.blocks.push_back({0.5, 0.01});
    asked.frozen = 2;
    asked.filled_views = 1;
    asked.grows = true;
    CHECK(seconds_of(answer(asked), 2) == Catch::Approx(3 * (1.5 + 0.01) + 0.1 + 0.5 + 0.01));
}

TEST_CASE("a disk that is read ahead costs what the network has to wait for it") {
    question asked{
        .blocks = {block{1, 0.1}, block{0.5, 0.1}}, .frozen = 1, .budget = 50'000'000, .disk_budget = plenty};
    // Half of the rows lie on the disk: 0.5 s to read, while the second block learns for 1.5 s.
    const auto found = answer(asked);
    CHECK(found.dropped == 1);
    CHECK(found.tiers == 2);
    CHECK(seconds_of(found, 1, 2) == Catch::Approx(1 + 0.05 + 0.5 + 9 * 0.05));
    CHECK_THAT(found.reason, ContainsSubstring("in memory and disk"));
    // A disk that is slower than computing is left alone.
    asked.disk_slowness = 100;
    CHECK(answer(asked).dropped == 1);
    CHECK(answer(asked).tiers == 1);
    CHECK(seconds_of(answer(asked), 1, 2) == Catch::Approx(1 + 0.05 + 5 + 9 * (5 - 1.5)));
}

TEST_CASE("a tier that has nothing to do is no option") {
    const auto found = answer({.blocks = {block{1, 0.1}}, .frozen = 1, .disk_budget = plenty});
    CHECK(found.options.size() == 2);
    CHECK(found.tiers == 1);
    CHECK(seconds_of(found, 1, 2) == -1);
}

TEST_CASE("the plan rejects what cannot be") {
    CHECK_THROWS_AS(answer({.blocks = {block{1, 1}}, .frozen = 2}), argument_error);
    CHECK_THROWS_AS(answer({.blocks = {block{-1, 1}}, .frozen = 1}), argument_error);
    const std::vector<block_costs> blocks(1);
    const std::vector<std::size_t> row_bytes{1};
    const std::vector<store_tier> tiers(1);
    const drop_situation now{.blocks = blocks, .row_bytes = row_bytes, .tiers = tiers, .frozen = 1};
    CHECK_NOTHROW(plan_drop(now, {.block_seconds = {1}, .tiers = {{1, 1}}}));
    CHECK_THROWS_AS(plan_drop(now, {.block_seconds = {1}, .tiers = {}}), argument_error);
    CHECK_THROWS_AS(plan_drop(now, {.block_seconds = {}, .tiers = {{1, 1}}}), argument_error);
    for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK_THROWS_AS(plan_drop(now, {.block_seconds = {1}, .tiers = {{bad, 1}}}), argument_error);
        CHECK_THROWS_AS(plan_drop(now, {.block_seconds = {1}, .tiers = {{1, bad}}}), argument_error);
    }
}
