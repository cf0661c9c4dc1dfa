// SPDX-License-Identifier: MIT
// The promises of frozen and dropped blocks.
#include "frostline/train/trainer.hpp"

#include "frostline/freeze/policies/learn_and_drop.hpp"
#include "frostline/models/vgg.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"

using namespace small_run;

namespace {

struct block_state {
    floats weights, statistics, momentum;
};

template <class Run>
block_state state_of(Run& run, std::size_t first, std::size_t last) {
    return {run.weights(first, last), run.statistics(first, last), run.momentum(first, last)};
}

bool same_state(const block_state& left, const block_state& right) {
    return same_bits(left.weights, right.weights) && same_bits(left.statistics, right.statistics) &&
           same_bits(left.momentum, right.momentum);
}

void check_inert(any_feature_store<float> store, bool drops) {
    const auto data = images(100), test = images(20);
    test_run run(make_network(), answers({2, 2, 2, 4}), std::move(store));
    std::vector<std::pair<std::size_t, block_state>> frozen;
    run.events.on_move = [&](const frost_line_moved& move) {
        frozen.emplace_back(move.frozen, state_of(run, 0, move.frozen));
        CHECK_FALSE(all_zero(frozen.back().second.momentum));
    };
    // What learns must differ, or the comparison would prove nothing.
    block_state learning;
    run.events.on_step = [&](const step_finished& step) {
        if (step.step == 4) learning = state_of(run, 3, head_block + 1);
    };
    run.trains.run(options_for(8), data, test);

    REQUIRE(frozen.size() == 2);
    CHECK(frozen[0].first == boundary_of[2]);
    CHECK(frozen[1].first == boundary_of[4]);
    for (const auto& [boundary, before] : frozen) CHECK(same_state(before, state_of(run, 0, boundary)));
    const block_state after = state_of(run, 3, head_block + 1);
    CHECK_FALSE(same_bits(learning.weights, after.weights));
    CHECK_FALSE(same_bits(learning.statistics, after.statistics));
    CHECK_FALSE(same_bits(learning.momentum, after.momentum));
    CHECK((run.events.steps.back().dropped > 0) == drops);
}

}  // namespace

TEST_CASE("what is frozen and recomputed stays bit for bit as it is") {
    check_inert(no_feature_store{}, false);
}

TEST_CASE("what is frozen and dropped stays bit for bit as it is") {
    check_inert(memory_feature_store<float>(plenty), true);
}

TEST_CASE("training from the store equals training with the frozen blocks recomputed") {
    const auto data = images(150);  // the last batch of each epoch holds 22
    const auto policy = answers({1, 2, 2, 3, 3, 3, 4});
    const auto options = options_for(11);

    test_run recomputed(make_network(), policy, no_feature_store{});
    recomputed.trains.run(options, data);
    test_run stored(make_network(), policy, memory_feature_store<float>(plenty));
    const auto stored_summary = stored.trains.run(options, data);
    test_run partly_stored(make_network(), policy, small_store(300'000));
    const auto partly_summary = partly_stored.trains.run(options, data);

    CHECK(stored.equals(recomputed));
    CHECK(partly_stored.equals(recomputed));

    // All of it would prove nothing if nothing had been dropped, and at one cut only.
    std::vector<std::size_t> cuts;
    for (const auto& step : stored.events.steps)
        if (cuts.empty() || cuts.back() != step.dropped) cuts.push_back(step.dropped);
    CHECK(cuts.size() >= 3);
    CHECK(recomputed.events.steps.back().dropped == 0);
    CHECK(stored_summary.forward_flops < partly_summary.forward_flops);
    CHECK(partly_summary.forward_flops < partly_summary.forward_flops_full);
}

TEST_CASE("training VGG-11 from the store equals training with the frozen blocks recomputed", "[slow]") {
    const auto data = images(256, 32);
    auto network = vgg11<float>({32, 32, 1}, 10);
    network.initialise(1);
    auto options = options_for(4, 60);
    options.costs = fixed_costs(network);

    test_run recomputed(network, answers({4, 5}), no_feature_store{});
    recomputed.trains.run(options, data);
    test_run stored(network, answers({4, 5}), memory_feature_store<float>(plenty));
    stored.trains.run(options, data);
    CHECK(stored.events.steps.back().dropped > 0);
    CHECK(stored.equals(recomputed));
}

TEST_CASE("the head learns whatever a policy answers") {
    test_run run(make_network(), answers({std::numeric_limits<std::size_t>::max()}),
                 memory_feature_store<float>(plenty));
    floats head;
    run.events.on_move = [&](const frost_line_moved&) { head = run.weights(head_block, head_block + 1); };
    const auto summary = run.trains.run(options_for(4), images(64));
    CHECK(summary.frozen == head_block);
    CHECK(run.events.moves.size() == 1);
    CHECK_FALSE(same_bits(head, run.weights(head_block, head_block + 1)));
}

TEST_CASE("absent scores freeze nothing") {
    std::size_t asked = 0;
    const any_scorer<float> silent("silent", [&asked]() {
        struct {
            observations observes{};
            std::size_t* asked;
            std::optional<double> operator()(const block_view<float>&) const {
                ++*asked;
                return std::nullopt;
            }
        } made{.asked = &asked};
        return made;
    }());
    const learn_and_drop eager{.warm_up = 0, .warm_up_most = 0};
    test_run run(make_network(), {"learn_and_drop", eager}, no_feature_store{}, silent);
    const auto summary = run.trains.run(options_for(6), images(64));
    CHECK(asked == 6 * 5);
    CHECK(run.events.moves.empty());
    CHECK(summary.frozen == 0);
}

TEST_CASE("the frost line stands where the policy put it, and falls only where it asks") {
    const std::vector<std::size_t> wanted{3, 3, 0, 2, 4, 4, 1, 3, 3, 3};
    test_run run(make_network(), answers(wanted), memory_feature_store<float>(plenty));
    run.trains.run(options_for(10), images(64));
    for (const auto& step : run.events.steps) {
        INFO("epoch " << step.epoch);
        CHECK(step.frozen == (step.epoch == 0 ? 0 : boundary_of[wanted[step.epoch - 1]]));
        CHECK(step.dropped <= step.frozen);
    }
    for (const auto& move : run.events.moves) {
        CHECK(move.dropped <= move.frozen);
        CHECK_FALSE(move.reason.empty());
    }
}

TEST_CASE("a pooling freezes with the convolution before it") {
    test_run run(make_network(), answers({2}));
    run.trains.run(options_for(2), images(64));
    REQUIRE(run.events.moves.size() == 1);
    CHECK(run.events.moves[0].frozen == 3);  // two convolutions and the pooling
    CHECK(run.events.decisions[0].blocks == std::vector<std::size_t>{0, 1, 3, 4, 5});
}

TEST_CASE("the whole network predicts what the stored features and the rest predict") {
    const auto data = images(100);
    observed_store store;
    test_run run(make_network(), answers({2, 3}), store);
    const auto summary = run.trains.run(options_for(6), data);
    REQUIRE(summary.dropped > 0);
    REQUIRE(store.log->last_put.size() == data.size());

    tensor<float> features;
    resize(features, data.size(), run.trained.shape_at(summary.dropped));
    for (const auto& [sample, row] : store.log->last_put)
        std::copy(row.begin(), row.end(), features.data() + sample * row.size());
    const tensor<float> from_store =
        run.trained.forward(features, summary.dropped, run.trained.blocks(), {.phase = phase::inference});

    for (const std::size_t size : {1u, 7u, 32u, 100u}) {
        for (std::size_t first = 0; first < data.size(); first += size) {
            const std::size_t count = std::min<std::size_t>(size, data.size() - first);
            const auto& whole = run.trained.predict(batch_of(data, first, count));
            REQUIRE(same_bits({whole.data(), whole.size()}, {from_store.data() + first * 10, count * 10}));
        }
    }
}
