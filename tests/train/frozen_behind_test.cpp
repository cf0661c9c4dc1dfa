// SPDX-License-Identifier: MIT
// Blocks that are frozen behind blocks that learn.
#include "frostline/freeze/policies/layer_out.hpp"
#include "frostline/train/trainer.hpp"

#include "small_run.hpp"
#include "support/catch.hpp"

using namespace small_run;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A policy that answers `wanted[e - 1]` after epoch e, and the last of them from then on.
any_policy sets(std::vector<frozen_blocks> wanted) {
    return {"sets", [wanted = std::move(wanted)](const training_view& view) {
                return wanted[std::min(view.epoch, wanted.size()) - 1];
            }};
}

frozen_blocks set_of(std::initializer_list<std::size_t> blocks, std::size_t leading = 0) {
    frozen_blocks set(leading);
    for (const std::size_t block : blocks) set.insert(block);
    return set;
}

}  // namespace

TEST_CASE("a set of blocks is told from its leading ones, whatever the order they came in") {
    const auto set = set_of({5, 1, 3, 1}, 1);
    CHECK(set.leading() == 2);
    CHECK(std::vector<std::size_t>(set.behind().begin(), set.behind().end()) ==
          std::vector<std::size_t>{3, 5});
    CHECK(set.contains(0));
    CHECK_FALSE(set.contains(2));
    CHECK(set.contains(3));
    CHECK_FALSE(set.contains(6));
    CHECK(set_of({2, 1, 0}) == 3);
    CHECK(set_of({4, 3}) == set_of({3, 4}));
    CHECK(set_of({3}) != set_of({2}));
}

TEST_CASE("what is frozen behind learning blocks stays bit for bit as it is, and passes its gradient on") {
    const auto data = images(100);
    // Learning blocks 1 and 3 are the network's 1, with the pooling behind it, and 4.
    test_run run(make_network(), sets({0, set_of({1, 3})}), memory_feature_store<float>(plenty));
    struct state {
        floats weights, statistics, momentum;
        bool operator==(const state&) const = default;
    };
    const auto state_of = [&](std::size_t first, std::size_t last) {
        return state{run.weights(first, last), run.statistics(first, last), run.momentum(first, last)};
    };
    std::vector<state> before;
    run.events.on_move = [&](const frost_line_moved&) {
        for (std::size_t block = 0; block <= head_block; ++block)
            before.push_back(state_of(block, block + 1));
    };
    run.trains.run(options_for(6), data);

    REQUIRE(run.events.moves.size() == 1);
    const auto& move = run.events.moves[0];
    CHECK(move.frozen == 0);
    CHECK(move.dropped == 0);
    CHECK(move.frozen_behind == std::vector<std::size_t>{1, 2, 4});
    CHECK_THAT(move.reason, ContainsSubstring("wants 0 learning blocks frozen and 2 behind them; "));
    CHECK(run.events.epochs.back().frozen_behind == move.frozen_behind);
    for (const std::size_t block : {1, 4}) {
        CHECK_FALSE(all_zero(before[block].momentum));
        CHECK(before[block] == state_of(block, block + 1));
    }
    for (const std::size_t block : {0, 3, 5}) {
        const auto now = state_of(block, block + 1);
        CHECK_FALSE(same_bits(now.weights, before[block].weights));
        CHECK_FALSE(same_bits(now.momentum, before[block].momentum));
    }
    CHECK(run.events.epochs.back().train_loss < run.events.epochs[1].train_loss);
}

TEST_CASE(
    "blocks frozen behind others spare their weight gradients, and neither forward nor input gradients") {
    const auto data = images(64);
    test_run run(make_network(), sets({set_of({1, 3})}), memory_feature_store<float>(plenty));
    run.trains.run(options_for(3), data);
    std::uint64_t spared = 0, full = 0;
    for (std::size_t block = 0; block <= head_block; ++block) {
        const auto& flops = run.trained.block(block).flops;
        if (block == 1 || block == 4) spared += 64 * flops.backward_parameters;
        full +=
            64 * (flops.backward_parameters + flops.backward_inner + (block > 0 ? flops.backward_input : 0));
    }
    CHECK(run.events.epochs[0].backward_flops == full);
    CHECK(run.events.epochs[2].backward_flops == full - spared);
    CHECK(run.events.epochs[2].forward_flops == run.events.epochs[0].forward_flops);
}

TEST_CASE("a scorer is not asked about blocks frozen behind others, and a policy sees which they are") {
    std::vector<std::vector<std::size_t>> seen;
    const auto policy = [&](const training_view& view) {
        seen.emplace_back(view.frozen_behind.begin(), view.frozen_behind.end());
        for (std::size_t block = 0; block < view.blocks; ++block)
            CHECK(view.scores.back()[block].has_value() == !view.is_frozen(block));
        return view.epoch == 1 ? set_of({2, 3}) : set_of({3}, 1);
    };
    test_run run(make_network(), {"watching", policy});
    run.trains.run(options_for(4), images(64));
    using numbers = std::vector<std::size_t>;
    CHECK(seen == std::vector<numbers>{{}, {2, 3}, {3}, {3}});
}

TEST_CASE("what thaws from between others starts with no momentum, and the head never freezes") {
    test_run run(make_network(), sets({set_of({1, 4}), set_of({3})}));
    run.events.on_move = [&](const frost_line_moved& move) {
        CHECK(all_zero(run.momentum(1, 2)) == (move.epoch == 2));
        CHECK_FALSE(all_zero(run.momentum(0, 1)));
        CHECK_FALSE(all_zero(run.momentum(5, 6)));
    };
    run.trains.run(options_for(4), images(64));
    REQUIRE(run.events.moves.size() == 2);
    CHECK(run.events.moves[0].frozen_behind == std::vector<std::size_t>{1, 2});
    CHECK(run.events.moves[1].frozen_behind == std::vector<std::size_t>{4});
}

TEST_CASE("leading blocks are dropped while others are frozen behind them") {
    const auto data = images(64);
    const auto policy = sets({0, set_of({3}, 2)});
    test_run recomputed(make_network(), policy, no_feature_store{});
    recomputed.trains.run(options_for(8), data);
    test_run stored(make_network(), policy, memory_feature_store<float>(plenty));
    stored.trains.run(options_for(8), data);
    CHECK(stored.events.steps.back().dropped == 3);
    CHECK(stored.equals(recomputed));
}

TEST_CASE("LayerOut trains, the same twice") {
    const auto data = images(64);
    const any_policy policy("layer_out", layer_out{.first = 0.7, .last = 0.4, .warm_up = 0});
    test_run first(make_network(), policy), second(make_network(), policy);
    first.trains.run(options_for(8), data);
    second.trains.run(options_for(8), data);
    CHECK(first.equals(second));
    CHECK(first.events.moves.size() > 3);
    CHECK(first.events.epochs.back().train_loss < first.events.epochs.front().train_loss);
}
