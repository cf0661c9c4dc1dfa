// SPDX-License-Identifier: MIT
// What happens when a policy lowers the frost line again.
#include "frostline/train/trainer.hpp"

#include "small_run.hpp"
#include "support/catch.hpp"

using namespace small_run;

TEST_CASE("the momentum of what thaws starts at zero, and of nothing else") {
    test_run run(make_network(), answers({3, 3, 1, 1}), memory_feature_store<float>(plenty));
    run.events.on_move = [&](const frost_line_moved& move) {
        if (move.frozen > move.frozen_before) {
            CHECK_FALSE(all_zero(run.momentum(0, 1)));
            CHECK_FALSE(all_zero(run.momentum(1, 4)));
        } else {
            CHECK(move.frozen_before == boundary_of[3]);
            CHECK(move.frozen == boundary_of[1]);
            CHECK_FALSE(all_zero(run.momentum(0, 1)));
            CHECK(all_zero(run.momentum(1, 2)));
            CHECK(all_zero(run.momentum(3, 4)));
            CHECK_FALSE(all_zero(run.momentum(4, 5)));
            CHECK_FALSE(all_zero(run.momentum(5, 6)));
        }
    };
    run.trains.run(options_for(5), images(64));
    CHECK(run.events.moves.size() == 2);
    CHECK_FALSE(all_zero(run.momentum(1, 4)));  // it learns again
}

TEST_CASE("freezing, thawing and freezing again gives the same weights with and without a store") {
    const auto data = images(90);
    const auto policy = answers({3, 3, 3, 1, 3, 3, 3, 0, 3});
    const auto options = options_for(12);
    test_run recomputed(make_network(), policy, no_feature_store{});
    recomputed.trains.run(options, data);
    test_run stored(make_network(), policy, memory_feature_store<float>(plenty));
    stored.trains.run(options, data);
    observed_store never_forgets;
    never_forgets.log->forgets = false;
    test_run hoarded(make_network(), policy, never_forgets);
    hoarded.trains.run(options, data);

    CHECK(stored.equals(recomputed));
    CHECK(hoarded.equals(recomputed));
    // Dropped, thawed, and dropped again at the same cut.
    std::vector<std::size_t> cuts;
    for (const auto& step : stored.events.steps)
        if (cuts.empty() || cuts.back() != step.dropped) cuts.push_back(step.dropped);
    CHECK(cuts == std::vector<std::size_t>{0, 4, 0, 4, 0, 4});
}

TEST_CASE("thawing below the dropped blocks clears the store, and old features are never found again") {
    const auto data = images(64);
    const bool forgets = GENERATE(true, false);
    observed_store store;
    store.log->forgets = forgets;
    test_run run(make_network(), answers({3, 3, 3, 1, 3}), store);
    std::size_t hits_before = 0, misses_before = 0;
    run.events.on_move = [&](const frost_line_moved& move) {
        if (move.frozen < move.frozen_before) {
            CHECK(store.log->clears > 0);
            CHECK((store.bytes() == 0) == forgets);
        }
        hits_before = store.log->hits;
        misses_before = store.log->misses;
    };
    run.events.on_step = [&](const step_finished& step) {
        if (step.epoch != 5) return;
        // The first epoch after freezing again: each sample is computed anew.
        CHECK(step.dropped == boundary_of[3]);
        CHECK(store.log->hits == hits_before);
        CHECK(store.log->misses > misses_before);
    };
    run.trains.run(options_for(8), data);
    CHECK(store.log->misses == 2 * data.size());
    CHECK(store.log->hits == 4 * data.size());
}

TEST_CASE("a second run starts with nothing frozen and finds no features of the first") {
    const auto data = images(64);
    observed_store store;
    store.log->forgets = false;
    test_run run(make_network(), answers({3}), store);
    run.trains.run(options_for(4), data);
    const auto misses = store.log->misses;
    run.events = {};
    run.trains.run(options_for(4), data);
    CHECK(run.events.steps.front().frozen == 0);
    CHECK(run.events.steps.front().dropped == 0);
    CHECK(store.log->misses == misses + data.size());
}
