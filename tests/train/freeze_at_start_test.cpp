// SPDX-License-Identifier: MIT
// Policies that freeze before the first step, as fine-tuning wants it.
#include "frostline/freeze/discriminative.hpp"
#include "frostline/freeze/policies/gradual_thaw.hpp"
#include "frostline/freeze/policies/head_only.hpp"
#include "frostline/freeze/policies/learn_and_drop.hpp"
#include "frostline/train/trainer.hpp"

#include "small_run.hpp"
#include "support/catch.hpp"

using namespace small_run;

namespace {

const any_policy only_head{"head_only", head_only{}};

}  // namespace

TEST_CASE("head_only drops everything but the head in epoch one already") {
    test_run run(make_network(), only_head, memory_feature_store<float>(plenty));
    const auto before = run.weights(0, head_block), statistics = run.statistics(0, head_block);
    const auto head = run.weights(head_block, head_block + 1);
    const auto finished = run.trains.run(options_for(3), images(64));
    REQUIRE(run.events.moves.size() == 1);
    CHECK(run.events.order.starts_with("sm."));
    CHECK(run.events.moves.front().step == 0);
    for (const auto& step : run.events.steps) {
        CHECK(step.frozen == head_block);
        CHECK(step.dropped == head_block);
    }
    CHECK(same_bits(run.weights(0, head_block), before));
    CHECK(same_bits(run.statistics(0, head_block), statistics));
    CHECK(all_zero(run.momentum(0, head_block)));
    CHECK_FALSE(same_bits(run.weights(head_block, head_block + 1), head));
    // The dropped blocks run once for each sample.
    const auto full = static_cast<double>(finished.forward_flops_full) / 3;
    CHECK(static_cast<double>(run.events.epochs[0].forward_flops) == full);
    CHECK(static_cast<double>(run.events.epochs[1].forward_flops) < 0.01 * full);
    CHECK(run.events.epochs[0].frozen == head_block);
}

TEST_CASE("what is frozen at the start gives the same weights dropped and recomputed") {
    const auto data = images(70);
    const any_policy thawing{"gradual_thaw", gradual_thaw{.start = 0.2, .end = 0.8}};
    for (const auto& policy : {only_head, thawing}) {
        test_run recomputed(make_network(), policy, no_feature_store{});
        recomputed.trains.run(options_for(6), data);
        test_run stored(make_network(), policy, memory_feature_store<float>(plenty));
        stored.trains.run(options_for(6), data);
        CHECK(stored.events.steps.front().dropped > 0);
        CHECK(recomputed.events.steps.front().dropped == 0);
        CHECK(stored.equals(recomputed));
    }
}

TEST_CASE("a second run freezes at its start, too") {
    test_run run(make_network(), only_head, memory_feature_store<float>(plenty));
    run.trains.run(options_for(1), images(64));
    run.trains.run(options_for(1), images(64));
    CHECK(run.events.order == "sm..edfsm..edf");
}

TEST_CASE("learn_and_drop goes on from what it freezes at the start") {
    test_run run(make_network(), any_policy("learn_and_drop", learn_and_drop{.from_start = 0.4}),
                 memory_feature_store<float>(plenty));
    run.trains.run(options_for(4), images(64));
    CHECK(run.events.steps.front().frozen == boundary_of[2]);
    CHECK(run.events.steps.back().frozen > boundary_of[2]);
}

TEST_CASE("with discriminative rates blocks near the input move less") {
    const auto data = images(64);
    test_run plain(make_network(), any_policy("never", never{}));
    plain.trains.run(options_for(1), data);
    test_run run(make_network(), any_policy("never", discriminative(never{}, 0)));
    const auto before = run.weights(0, head_block);
    run.trains.run(options_for(1), data);
    CHECK(same_bits(run.weights(0, head_block), before));
    CHECK_FALSE(same_bits(plain.weights(0, head_block), before));
    test_run usual(make_network(), any_policy("never", discriminative(never{}, 1)));
    usual.trains.run(options_for(1), data);
    CHECK(usual.equals(plain));
}
