// SPDX-License-Identifier: MIT
// Decisions within epochs, and learning rates that a policy sets.
#include "frostline/freeze/named_policy.hpp"
#include "frostline/freeze/policies/freeze_out.hpp"
#include "frostline/freeze/thawing.hpp"
#include "frostline/train/trainer.hpp"

#include "small_run.hpp"
#include "support/catch.hpp"

using namespace small_run;

namespace {

training_options every(std::size_t steps, std::size_t epochs) {
    auto options = options_for(epochs);
    options.decide_every = steps;
    return options;
}

}  // namespace

TEST_CASE("a run decides every so many steps, and moves the frost line within epochs") {
    const auto data = images(160);  // five steps an epoch
    std::vector<std::size_t> epochs, steps;
    const auto policy = [&](const training_view& view) {
        epochs.push_back(view.epoch);
        steps.push_back(view.step);
        CHECK(view.steps == 20);
        CHECK(view.progress() == static_cast<double>(view.step) / 20);
        CHECK(view.train_losses.size() == view.scores.size());
        CHECK(view.learning_rates.size() == view.scores.size());
        return view.scores.size() / 2;
    };
    test_run run(make_network(), {"watching", policy});
    run.trains.run(every(3, 4), data);
    using numbers = std::vector<std::size_t>;
    CHECK(steps == numbers{3, 6, 9, 12, 15, 18});
    CHECK(epochs == numbers{0, 1, 1, 2, 3, 3});
    for (const auto& step : run.events.steps) CHECK(step.frozen == boundary_of[step.step / 6]);
    CHECK(run.events.order ==
          "s"
          "...d..e"
          ".dm...d.e"
          "..dm...ed"
          "...dm..e"
          "f");
    CHECK(run.events.decisions[0].steps == 3);
    CHECK(
        run.events.decisions[0].train_loss ==
        Catch::Approx((run.events.steps[0].loss + run.events.steps[1].loss + run.events.steps[2].loss) / 3));
    CHECK(run.events.epochs[2].scores == run.events.decisions[4].scores);
}

TEST_CASE("a decision an epoch by its number of steps is the usual one") {
    const auto data = images(150);
    const auto policy = by_decision({0, 2, 2, 3, 1, 3});
    test_run usual(make_network(), policy, memory_feature_store<float>(plenty));
    usual.trains.run(options_for(8), data);
    test_run counted(make_network(), policy, memory_feature_store<float>(plenty));
    counted.trains.run(every(5, 8), data);
    CHECK(counted.equals(usual));
    CHECK(counted.events.order == usual.events.order);
    CHECK(usual.events.steps.back().dropped > 0);
}

TEST_CASE("freezing and thawing within epochs gives the same weights with and without a store") {
    const auto data = images(150);
    const auto policy = by_decision({0, 0, 2, 2, 3, 3, 3, 3, 1, 1, 1, 3, 3, 3, 0, 0, 4, 4, 4, 4, 4});
    test_run recomputed(make_network(), policy);
    recomputed.trains.run(every(2, 9), data);
    test_run stored(make_network(), policy, memory_feature_store<float>(plenty));
    stored.trains.run(every(2, 9), data);
    CHECK(stored.equals(recomputed));
    bool moved_within = false;
    for (const auto& step : stored.events.steps) CHECK(step.dropped <= step.frozen);
    for (const auto& move : stored.events.moves) {
        moved_within = moved_within || (move.step % 5 != 0 && move.dropped < move.dropped_before);
        if (move.step % 5 != 0) CHECK(move.dropped <= move.dropped_before);
    }
    CHECK(moved_within);
    CHECK(stored.events.steps.back().dropped > 0);
}

TEST_CASE("a policy sees what the run has cost so far") {
    const auto data = images(64);
    std::vector<run_spending> seen;
    test_run run(make_network(), {"watching", [&](const training_view& view) {
                                      seen.push_back(view.spent);
                                      return view.epoch == 1 ? 0 : 2;
                                  }});
    const auto summary = run.trains.run(options_for(4), data);
    const auto total = static_cast<double>(summary.forward_flops + summary.backward_flops);
    REQUIRE(seen.size() == 4);
    CHECK(seen[0].full_flops ==
          static_cast<double>(summary.forward_flops_full + summary.backward_flops_full));
    CHECK(seen[0].flops == seen[0].full_flops / 4);
    CHECK(seen[1].flops == seen[0].full_flops / 2);
    CHECK(seen[2].flops < 0.75 * seen[0].full_flops);
    CHECK(seen[3].flops == total);
    CHECK(seen[0].seconds > 0);
    CHECK(seen[3].seconds > seen[2].seconds);
}

TEST_CASE("a budget of FLOPs freezes the same with and without a store, which alone saves more") {
    const auto data = images(150);
    const any_policy policy = named_policy("budget:share=0.6");
    test_run recomputed(make_network(), policy),
        stored(make_network(), policy, memory_feature_store<float>(plenty));
    const auto without = recomputed.trains.run(options_for(12), data),
               with = stored.trains.run(options_for(12), data);
    CHECK(stored.equals(recomputed));
    CHECK(with.backward_flops == without.backward_flops);
    CHECK(with.forward_flops < without.forward_flops);
    const auto all = [](std::uint64_t forward, std::uint64_t backward) {
        return static_cast<double>(forward + backward);
    };
    CHECK(all(without.forward_flops, without.backward_flops) <=
          0.61 * all(without.forward_flops_full, without.backward_flops_full));
}

TEST_CASE("a policy sets the learning rate of each block, and scorers are told") {
    struct first_is_still {
        std::size_t operator()(const training_view&) const { return 0; }
        double learning_rate(const rate_view& now) const {
            CHECK(now.blocks == 5);
            CHECK(now.steps == 6);
            CHECK(now.peak_rate == 0.05);
            return now.block == 1 ? 0 : now.block == 3 ? 2 * now.rate : now.rate;
        }
    };
    struct rates_as_scores {
        observations observes{};
        std::optional<double> operator()(const block_view<float>& view) const {
            return view.learning_rate_sum;
        }
    };
    const auto data = images(64);
    auto network = make_network();
    const auto before = weights_of(network, 1, 2);
    recorder events;
    trainer trains(network, softmax_cross_entropy<float>{}, sgd<float>{}, rates_as_scores{}, first_is_still{},
                   no_feature_store{}, events);
    trains.run(options_for(3), data);
    CHECK(same_bits(weights_of(network, 1, 2), before));
    const auto& scores = events.decisions[2].scores;
    for (std::size_t block = 0; block < 5; ++block)
        CHECK(*scores[block] == Catch::Approx(block == 1 ? 0 : block == 3 ? 0.2 : 0.1));
    CHECK(events.decisions[2].learning_rate_sum == Catch::Approx(0.1));
}

TEST_CASE("FreezeOut's blocks stand still from their own time on, before they are frozen") {
    const auto data = images(128);  // four steps an epoch, forty in all
    const freeze_out policy{.first = 0.4, .cubed = false};
    test_run run(make_network(), {"freeze_out", policy});
    floats first;
    run.events.on_step = [&](const step_finished& step) {
        if (step.step == 15) first = run.weights(0, 1);  // t = 0.4: the rate of step 16 is zero
        if (step.step > 15) CHECK(same_bits(run.weights(0, 1), first));
    };
    run.trains.run(options_for(10), data);
    CHECK(run.events.steps[15].frozen == 0);
    CHECK(run.events.steps.back().frozen == boundary_of[4]);
    CHECK(run.events.moves.size() == 4);
}

TEST_CASE("the rates of a run's last share are low when it resumes what was frozen") {
    const auto data = images(64);
    const end_resume policy(by_decision({2}), 0.25, 0.0);
    test_run run(make_network(), {"end_resume", policy});
    floats last;
    run.events.on_step = [&](const step_finished& step) {
        if (step.step == 11) last = run.weights();
    };
    run.trains.run(options_for(8), data);
    CHECK(run.events.steps[11].frozen == boundary_of[2]);
    CHECK(run.events.steps[12].frozen == 0);
    CHECK(same_bits(run.weights(), last));
}
