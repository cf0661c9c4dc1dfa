// SPDX-License-Identifier: MIT
#include "frostline/train/online_learner.hpp"

#include "frostline/freeze/policies/head_only.hpp"
#include "frostline/freeze/policies/learn_and_drop.hpp"
#include "frostline/freeze/scorers/linear_cka.hpp"
#include "frostline/freeze/thawing.hpp"
#include "small_run.hpp"
#include "support/catch.hpp"

#include <string>
#include <vector>

using namespace small_run;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A learner on the first images of a set, in their order, with everything in reach.
template <class Buffer = replay_buffer<float>>
struct online_run {
    small_network network = make_network();
    shared_sgd optimiser{};
    recorder events{};
    in_memory_dataset<float> data = images(400);
    std::size_t next = 0;
    online_learner<small_network, softmax_cross_entropy<float>, shared_sgd, any_scorer<float>, any_policy,
                   any_feature_store<float>, Buffer, recorder>
        learner;

    online_run(const online_options& options, any_policy policy,
               any_feature_store<float> store = no_feature_store{}, Buffer buffer = Buffer(40),
               any_scorer<float> scorer = {"weight_change", weight_change{}})
        : learner(network, softmax_cross_entropy<float>{}, optimiser, std::move(scorer), std::move(policy),
                  std::move(store), std::move(buffer), options, events) {}

    /// Learns the next `count` samples as one batch, all of them shifted to another class.
    online_step fit(std::size_t count = 1, std::int32_t shift = 0) {
        const auto batch = batch_of(data, next % data.size(), count);
        std::vector<std::int32_t> targets;
        for (std::size_t i = 0; i < count; ++i)
            targets.push_back((data.target((next + i) % data.size()) + shift) % 10);
        next = (next + count) % (data.size() - 16);
        return learner.partial_fit(batch, targets);
    }
    void fit_steps(std::size_t steps, std::size_t count = 1, std::int32_t shift = 0) {
        for (std::size_t step = 0; step < steps; ++step) fit(count, shift);
    }

    floats momentum(std::size_t first, std::size_t last) {
        floats found;
        optimiser.for_each_state([&](const char*, std::span<float> state) {
            const auto begin = network.block(first).first_value, end = network.block(last - 1).last_value;
            found.assign(state.begin() + static_cast<std::ptrdiff_t>(begin),
                         state.begin() + static_cast<std::ptrdiff_t>(std::min(end, state.size())));
        });
        return found;
    }
    template <class Other>
    bool equals(Other& other) {
        const std::size_t all = network.blocks();
        return same_bits(weights_of(network, 0, all), weights_of(other.network, 0, all)) &&
               same_bits(statistics_of(network, 0, all), statistics_of(other.network, 0, all)) &&
               same_bits(momentum(0, all), other.momentum(0, all)) &&
               events.losses() == other.events.losses() && learner.accuracy() == other.learner.accuracy();
    }
};

/// Decides after every five steps, of four samples each with those that are replayed.
online_options quick() {
    return {.learning_rate = 0.02, .seed = 3, .replayed = 3, .decide_every = 5, .horizon = 100, .window = 50};
}

const any_policy never_freezes{"never", never{}};

any_feature_store<float> memory(std::size_t budget = plenty) { return memory_feature_store<float>(budget); }

}  // namespace

TEST_CASE("an online learner tests the whole network on new samples before it learns from them") {
    for (const auto& policy : {never_freezes, by_decision({0, 2, 3, 4, 1})}) {
        online_run run(quick(), policy, memory());
        softmax_cross_entropy<float> loss;
        tensor<float> gradient;
        std::size_t correct = 0, samples = 0;
        for (std::size_t step = 0; step < 40; ++step) {
            const std::size_t count = 1 + step % 4;
            const auto batch = batch_of(run.data, run.next, count);
            std::vector<std::int32_t> targets;
            for (std::size_t i = 0; i < count; ++i) targets.push_back(run.data.target(run.next + i));
            const tensor<float> outputs = run.learner.predict(batch);
            const std::size_t expected = count_correct(outputs, std::span<const std::int32_t>(targets));
            const double expected_loss = loss(outputs, targets, gradient);
            const auto found = run.fit(count);
            CHECK(found.samples == count);
            CHECK(found.correct == expected);
            CHECK(found.loss == expected_loss);
            correct += expected;
            samples += count;
        }
        CHECK(run.learner.samples() == samples);
        CHECK(run.learner.steps() == 40);
        CHECK(run.learner.accuracy() == static_cast<double>(correct) / static_cast<double>(samples));
    }
}

TEST_CASE("an online learner learns, one sample at a time") {
    online_run run(quick(), never_freezes);
    run.fit_steps(100);
    const double early = run.learner.recent_accuracy();
    run.fit_steps(500);
    CHECK(run.learner.recent_accuracy() > early);
    CHECK(run.learner.recent_accuracy() > 0.5);
    // The mean over all samples is behind the recent one.
    CHECK(run.learner.recent_accuracy() > run.learner.accuracy());
}

TEST_CASE("a step of an online learner trains on the new samples and on as many replayed ones as wanted") {
    auto options = quick();
    options.replayed = 5;
    online_run run(options, never_freezes, no_feature_store{}, replay_buffer<float>(40));
    run.fit(2);
    CHECK(run.events.steps[0].samples == 2);  // nothing to replay yet
    run.fit(1);
    CHECK(run.events.steps[1].samples == 6);
    run.fit(8);
    CHECK(run.events.steps[2].samples == 13);

    online_run alone(options, never_freezes, no_feature_store{}, replay_buffer<float>(0));
    alone.fit_steps(3, 4);
    for (const auto& step : alone.events.steps) CHECK(step.samples == 4);
    CHECK(alone.learner.bytes() == 0);
}

TEST_CASE("the same seed and the same stream give the same weights, and another seed others") {
    const auto policy = by_decision({0, 2, 2, 4, 1});
    online_run first(quick(), policy, memory()), second(quick(), policy, memory());
    auto options = quick();
    options.seed = 4;
    online_run other(options, policy, memory());
    first.fit_steps(60);
    second.fit_steps(60);
    other.fit_steps(60);
    CHECK(first.equals(second));
    CHECK_FALSE(first.equals(other));
}

TEST_CASE("what an online learner freezes is inert: weights, statistics and momentum keep their bits") {
    online_run run(quick(), by_decision({3, 3, 4, 4}), memory());
    run.fit_steps(5);
    REQUIRE(run.learner.frozen() == boundary_of[3]);
    REQUIRE(run.learner.dropped() > 0);
    const std::size_t frozen = boundary_of[3];
    const auto weights = weights_of(run.network, 0, frozen),
               statistics = statistics_of(run.network, 0, frozen);
    const auto momentum = run.momentum(0, frozen);
    const auto rest = weights_of(run.network, frozen, run.network.blocks());
    run.fit_steps(20, 2);
    CHECK(run.learner.frozen() == boundary_of[4]);
    CHECK(same_bits(weights_of(run.network, 0, frozen), weights));
    CHECK(same_bits(statistics_of(run.network, 0, frozen), statistics));
    CHECK(same_bits(run.momentum(0, frozen), momentum));
    CHECK_FALSE(same_bits(weights_of(run.network, frozen, run.network.blocks()), rest));
}

TEST_CASE("an online learner gives the same weights with a store, with a small one, and with none") {
    // Freezes, advances, thaws a little, thaws below the cut, and freezes again, while the buffer fills and
    // its places change hands.
    const auto policy = by_decision({0, 1, 2, 4, 4, 3, 4, 1, 1, 3, 3, 0, 2, 4, 4});
    const auto compare = [&](auto buffer, std::size_t count) {
        using buffer_type = decltype(buffer);
        online_run<buffer_type> recomputed(quick(), policy, no_feature_store{},
                                           buffer_type(buffer.capacity()));
        online_run<buffer_type> stored(quick(), policy, memory(), buffer_type(buffer.capacity()));
        online_run<buffer_type> partly(quick(), policy, small_store(60'000), buffer_type(buffer.capacity()));
        online_run<buffer_type> forgetful(quick(), policy, observed_store{}, buffer_type(buffer.capacity()));
        recomputed.fit_steps(90, count);
        stored.fit_steps(90, count);
        partly.fit_steps(90, count);
        forgetful.fit_steps(90, count);
        CHECK(recomputed.learner.dropped() == 0);
        CHECK(stored.learner.dropped() > 0);
        CHECK(stored.equals(recomputed));
        CHECK(partly.equals(recomputed));
        CHECK(forgetful.equals(recomputed));
    };
    SECTION("one sample at a time") { compare(replay_buffer<float>(30), 1); }
    SECTION("several, in a buffer whose places are taken over often") { compare(replay_buffer<float>(6), 4); }
    SECTION("more than the buffer holds") { compare(replay_buffer<float>(3), 8); }
    SECTION("pixels of a byte") { compare(replay_buffer<float, uint8_encoding>(12), 2); }
}

TEST_CASE("the features of a sample that was replaced are never replayed") {
    auto options = quick();
    options.replayed = 8;
    online_run run(options, by_decision({3}), memory(), replay_buffer<float>(4));
    run.fit_steps(5);
    REQUIRE(run.learner.dropped() == boundary_of[3]);
    const std::size_t row_bytes = run.network.shape_at(run.learner.dropped()).size() * sizeof(float);
    run.fit_steps(60);
    CHECK(run.learner.store().bytes() >= 4 * row_bytes);
    CHECK(run.learner.store().bytes() < 4 * (row_bytes + 4 * feature_index_bytes) + plenty / 128);
}

TEST_CASE("a policy that thaws resets the momentum of what thaws") {
    online_run run(quick(), by_decision({3, 1, 1}), memory());
    run.events.on_move = [&](const frost_line_moved& move) {
        if (move.frozen > move.frozen_before) return;
        CHECK(all_zero(run.momentum(boundary_of[1], boundary_of[3])));
        CHECK_FALSE(all_zero(run.momentum(0, 1)));
        CHECK_FALSE(all_zero(run.momentum(head_block, head_block + 1)));
    };
    run.fit_steps(11);
    CHECK(run.events.moves.size() == 2);
    CHECK(run.learner.frozen() == boundary_of[1]);
}

TEST_CASE("blocks behind the frost line may freeze in an online learner, too") {
    const any_policy third{"third", [](const training_view&) { return frozen_blocks(1).insert(2); }};
    online_run run(quick(), third, memory());
    run.fit_steps(5);
    const auto frozen = weights_of(run.network, 3, 4), learns = weights_of(run.network, 1, 2);
    run.fit_steps(10);
    CHECK(same_bits(weights_of(run.network, 3, 4), frozen));
    CHECK_FALSE(same_bits(weights_of(run.network, 1, 2), learns));
    CHECK(run.events.moves.front().frozen_behind == std::vector<std::size_t>{3});
}

TEST_CASE("a policy may freeze before the first step of an online learner") {
    online_run run(quick(), any_policy("head_only", head_only{}), memory());
    CHECK(run.learner.frozen() == head_block);
    const auto before = weights_of(run.network, 0, head_block);
    run.fit_steps(12);
    CHECK(same_bits(weights_of(run.network, 0, head_block), before));
    CHECK(run.events.steps.front().dropped == head_block);
}

TEST_CASE("a drift thaws every block, and decisions begin anew") {
    auto options = quick();
    options.drift = {.window = 40};
    bool learnt = false;
    const any_policy third{"third", [&](const training_view& view) {
                               return learnt && view.scores.size() > 2 ? std::size_t{4} : std::size_t{0};
                           }};
    online_run run(options, third, memory());
    run.fit_steps(600);
    learnt = true;
    run.fit_steps(100);
    REQUIRE(run.learner.frozen() == boundary_of[4]);
    const std::size_t decisions = run.events.decisions.size();
    // Every class has another name from here on.
    std::size_t steps = 0;
    while (steps < 200 && !run.fit(1, 5).drift) ++steps;
    CHECK(steps < 100);
    CHECK(run.learner.frozen() == 0);
    CHECK(run.learner.dropped() == 0);
    CHECK_THAT(run.events.moves.back().reason, ContainsSubstring("the running loss rose to"));
    CHECK(all_zero(run.momentum(0, boundary_of[4])));
    run.fit_steps(14, 1, 5);
    CHECK(run.learner.frozen() == 0);  // two decisions since the drift
    CHECK(run.events.decisions.size() == decisions + steps / 5 + 2);
    CHECK(run.events.decisions.back().epoch == 2);
    CHECK(run.events.decisions.back().step == 10);
    run.fit_steps(1, 1, 5);
    CHECK(run.learner.frozen() == boundary_of[4]);
}

TEST_CASE("without a drift signal nothing but the policy thaws") {
    auto options = quick();
    options.drift = {.loss_rise = 0, .window = 40};
    bool learnt = false;
    const any_policy late{"late", [&](const training_view&) { return std::size_t{learnt ? 4u : 0u}; }};
    online_run run(options, late, memory());
    run.fit_steps(600);
    learnt = true;
    run.fit_steps(100);
    for (std::size_t step = 0; step < 150; ++step) CHECK_FALSE(run.fit(1, 5).drift);
    CHECK(run.learner.frozen() == boundary_of[4]);
    run.learner.thaw("because the test says so");
    CHECK(run.learner.frozen() == 0);
    CHECK_THAT(run.events.moves.back().reason, ContainsSubstring("because the test says so"));
}

TEST_CASE("where features replace pixels, the pixels' memory goes, and the features are replayed") {
    auto options = quick();
    options.keep_pixels = false;
    const auto policy = by_decision({0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 4});
    online_run kept(quick(), policy, memory()), replaced(options, policy, memory());
    kept.fit_steps(50);
    replaced.fit_steps(50);
    REQUIRE(replaced.learner.dropped() == boundary_of[2]);
    CHECK(kept.learner.buffer().has_pixels());
    CHECK_FALSE(replaced.learner.buffer().has_pixels());
    CHECK(replaced.learner.buffer().size() == 40);
    // The same samples, and the same features of them: the same weights, on to the next cut.
    kept.fit_steps(40);
    replaced.fit_steps(40);
    CHECK(replaced.learner.dropped() == boundary_of[4]);
    CHECK(replaced.learner.buffer().size() == 40);
    CHECK(replaced.equals(kept));
}

TEST_CASE("where features replace pixels, what thaws learns from new samples alone") {
    auto options = quick();
    options.keep_pixels = false;
    online_run run(options, by_decision({0, 0, 0, 3, 3, 0, 0}), memory());
    run.fit_steps(25);
    REQUIRE_FALSE(run.learner.buffer().has_pixels());
    REQUIRE(run.learner.buffer().size() > 20);
    run.fit_steps(5);
    CHECK(run.learner.frozen() == 0);
    CHECK(run.learner.buffer().has_pixels());
    CHECK(run.learner.buffer().size() == 0);
    CHECK(run.learner.store().bytes() == 0);
    run.fit();
    CHECK(run.events.steps.back().samples == 1);
    run.fit();
    CHECK(run.events.steps.back().samples == 4);
    CHECK(run.learner.buffer().size() == 2);
}

TEST_CASE("a sample whose features are lost is given up where there are no pixels, and others are replayed") {
    struct leaking_store : memory_feature_store<float> {
        leaking_store() : memory_feature_store<float>(plenty) {}
        std::size_t calls = 0;

        void get(std::span<const feature_key> keys, tensor<float>& rows, std::vector<std::size_t>& missed) {
            if (++calls % 4 == 0) forget(keys.first(1));
            memory_feature_store<float>::get(keys, rows, missed);
        }
    };
    auto options = quick();
    options.keep_pixels = false;
    online_run run(options, by_decision({0, 0, 0, 0, 2, 2, 2, 2, 4}), leaking_store{});
    run.fit_steps(40);
    CHECK(run.learner.dropped() == boundary_of[2]);
    CHECK_FALSE(run.learner.buffer().has_pixels());
    CHECK(run.events.steps.back().samples == 4);
    run.fit_steps(60);
    CHECK(run.learner.dropped() == boundary_of[4]);
    CHECK(run.events.steps.back().samples == 4);
}

TEST_CASE("a row that is lost while the cut moves takes no other sample with it") {
    // Loses the first of many rows that are held, once: while they are advanced.
    struct losing_store : memory_feature_store<float> {
        losing_store() : memory_feature_store<float>(plenty) {}
        bool lost = false;

        void get(std::span<const feature_key> keys, tensor<float>& rows, std::vector<std::size_t>& missed) {
            if (!lost && keys.size() > 40 && holds(keys.front())) {
                forget(keys.first(1));
                lost = true;
            }
            memory_feature_store<float>::get(keys, rows, missed);
        }
    };
    auto options = quick();
    options.keep_pixels = false;
    online_run run(options, by_decision({0, 0, 0, 0, 0, 0, 0, 2, 4}), losing_store{},
                   replay_buffer<float>(200));
    run.fit_steps(40, 4);
    REQUIRE(run.learner.dropped() == boundary_of[2]);
    REQUIRE_FALSE(run.learner.buffer().has_pixels());
    REQUIRE(run.learner.buffer().size() == 160);
    run.fit_steps(5, 4);
    REQUIRE(run.learner.dropped() == boundary_of[4]);
    CHECK(run.learner.buffer().size() == 160 + 20 - 1);
}

TEST_CASE("a store that is full goes on taking samples in place of old ones, where there are no pixels") {
    auto options = quick();
    options.keep_pixels = false;
    const std::size_t row_bytes = small_store(plenty).row_bytes(make_network().shape_at(boundary_of[2]));
    // For the 20 samples that are held when the blocks drop, and for some more.
    online_run run(options, by_decision({0, 0, 0, 2}), small_store(25 * row_bytes));
    run.fit_steps(300);
    REQUIRE(run.learner.dropped() == boundary_of[2]);
    const auto& buffer = run.learner.buffer();
    REQUIRE_FALSE(buffer.has_pixels());
    CHECK(buffer.size() < buffer.capacity());
    std::size_t late = 0;
    for (std::size_t index = 0; index < buffer.size(); ++index) late += buffer.number(index) >= 100;
    CHECK(late > 5);
}

TEST_CASE("a store too small for the features of all samples leaves their pixels alone") {
    auto options = quick();
    options.keep_pixels = false;
    online_run run(options, by_decision({0, 0, 0, 3}), small_store(60'000));
    run.fit_steps(60);
    REQUIRE(run.learner.dropped() > 0);
    CHECK(run.learner.buffer().has_pixels());
    CHECK(run.learner.buffer().size() == 40);
}

TEST_CASE("the memory of an online learner is bounded") {
    online_run run(quick(), by_decision({0, 2, 4}), memory());
    run.fit_steps(200);
    const std::size_t bytes = run.learner.bytes();
    run.fit_steps(400);
    CHECK(run.learner.bytes() == bytes);
}

TEST_CASE("a scorer that observes outputs is given a probe batch of the first samples held") {
    const any_scorer<float> scorer{"linear_cka", linear_cka({.samples = 16})};
    online_run run(quick(), never_freezes, no_feature_store{}, replay_buffer<float>(40), scorer);
    run.fit_steps(16);
    CHECK(run.events.decisions.empty());
    run.fit_steps(10);
    REQUIRE(run.events.decisions.size() == 2);
    for (const auto& score : run.events.decisions.back().scores) CHECK(score.has_value());
    // A buffer that holds fewer gives all of them.
    online_run few(quick(), never_freezes, no_feature_store{}, replay_buffer<float>(6), scorer);
    few.fit_steps(11);
    CHECK(few.events.decisions.size() == 1);
    CHECK_THROWS_WITH(online_run(quick(), never_freezes, no_feature_store{}, replay_buffer<float>(0), scorer),
                      ContainsSubstring("probe batch is taken from the replay buffer"));
}

TEST_CASE("pixels stay until the probe batch is taken, whatever is frozen from the start") {
    auto options = quick();
    options.keep_pixels = false;
    const any_scorer<float> scorer{"linear_cka", linear_cka({.samples = 16})};
    const any_policy from_start{"learn_and_drop", learn_and_drop{.from_start = 0.4}};
    online_run run(options, from_start, memory(), replay_buffer<float>(40), scorer);
    run.fit_steps(15);
    CHECK(run.learner.dropped() > 0);
    CHECK(run.learner.buffer().has_pixels());
    run.fit_steps(1);
    CHECK_FALSE(run.learner.buffer().has_pixels());
    run.fit_steps(10);
    CHECK(run.events.decisions.size() == 2);
    CHECK(run.learner.buffer().size() == 26);
}

TEST_CASE("a policy sees an online run as one of so many steps as the horizon has, without an end") {
    std::vector<training_view> views;
    const any_policy looks{"looks", [&](const training_view& view) {
                               views.push_back(view);
                               return std::size_t{0};
                           }};
    auto options = quick();
    options.history = 3;
    online_run run(options, looks);
    run.fit_steps(30);
    REQUIRE(views.size() == 6);
    for (std::size_t i = 0; i < views.size(); ++i) {
        CHECK(views[i].epoch == i + 1);
        CHECK(views[i].epochs == 20);
        CHECK(views[i].step == 5 * (i + 1));
        CHECK(views[i].steps == 100);
        CHECK(views[i].learning_rate_left == 0.02 * 100);
        CHECK(views[i].scores.size() == std::min<std::size_t>(i + 1, 3));
        CHECK(views[i].first_step == (i < 3 ? 0 : 5 * (i - 2)));
    }
}

TEST_CASE("the deadline of learn_and_drop is a share of the horizon, anew behind each thaw") {
    auto options = quick();
    options.drift = {.loss_rise = 0};
    online_run run(options, any_policy("learn_and_drop", learn_and_drop{.remaining = 0}), memory());
    for (int from_anew = 0; from_anew < 2; ++from_anew) {
        run.fit_steps(35);
        CHECK(run.learner.frozen() == 0);
        run.fit_steps(10);
        CHECK(run.learner.frozen() > 0);
        run.fit_steps(15);  // one of five blocks at a decision
        CHECK(run.learner.frozen() == boundary_of[4]);
        run.learner.thaw("because the test says so");
    }
}

TEST_CASE("an online learner refuses samples that do not fit, and has not changed then") {
    online_run run(quick(), never_freezes), untouched(quick(), never_freezes);
    const auto batch = batch_of(run.data, 0, 2);
    const std::vector<std::int32_t> one{1}, two{1, 2}, unknown{1, 10};
    CHECK_THROWS_WITH(run.learner.partial_fit(batch, one), ContainsSubstring("found 1 for 2"));
    CHECK_THROWS_AS(run.learner.partial_fit(batch, one), shape_error);
    CHECK_THROWS_AS(run.learner.partial_fit(batch, unknown), argument_error);
    CHECK_THROWS_WITH(run.learner.partial_fit(batch, unknown), ContainsSubstring("a target is 10"));
    tensor<float> small;
    resize(small, 2, {8, 8, 1});
    CHECK_THROWS_AS(run.learner.partial_fit(small, two), shape_error);
    run.fit_steps(6);
    untouched.fit_steps(6);
    CHECK(run.equals(untouched));
}

TEST_CASE("an online learner refuses options out of range") {
    const auto refused = [](auto change, const std::string& message) {
        auto options = quick();
        change(options);
        CHECK_THROWS_AS(online_run(options, never_freezes), argument_error);
        CHECK_THROWS_WITH(online_run(options, never_freezes), ContainsSubstring(message));
    };
    refused([](auto& options) { options.learning_rate = -1; }, "the learning rate must be finite");
    refused([](auto& options) { options.weight_decay = -1; }, "the weight decay must be finite");
    refused([](auto& options) { options.decide_every = 0; }, "must be at least 1, found 0");
    refused([](auto& options) { options.horizon = 4; }, "the horizon is 4 steps, expected at least 5");
    refused([](auto& options) { options.history = 0; }, "the history of decisions");
    refused([](auto& options) { options.window = 0; }, "the recent accuracy");
    refused([](auto& options) { options.drift.window = 0; }, "the running loss is taken over 0 samples");
}

TEST_CASE("an online learner tells that training diverged") {
    auto options = quick();
    options.learning_rate = 1e30;
    online_run run(options, never_freezes);
    CHECK_THROWS_AS(run.fit_steps(50), divergence_error);
}
