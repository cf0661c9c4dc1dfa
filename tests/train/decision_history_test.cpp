// SPDX-License-Identifier: MIT
#include "frostline/train/decision_history.hpp"

#include "small_run.hpp"
#include "support/catch.hpp"

using namespace small_run;

namespace {

/// Copies what it is shown, and scores a block by its number.
struct observed_view {
    std::size_t block, decision;
    floats weights, previous_weights;
    double learning_rate_sum;
    std::size_t steps;
};
struct showing_scorer {
    observations observes{.previous_weights = true};
    std::vector<observed_view>* seen;

    std::optional<double> operator()(const block_view<float>& view) {
        seen->push_back({view.block,
                         view.decision,
                         {view.weights.begin(), view.weights.end()},
                         {view.previous_weights.begin(), view.previous_weights.end()},
                         view.learning_rate_sum,
                         view.steps});
        return 100.0 + static_cast<double>(view.block);
    }
};

template <class Network, class Policy>
auto history_of(Network& network, Policy policy, std::vector<observed_view>& seen) {
    return decision_history<Network, showing_scorer, Policy>(network, showing_scorer{.seen = &seen}, policy);
}

}  // namespace

TEST_CASE(
    "learning blocks are translated to blocks of the network, and the head is never below the frost line") {
    auto network = make_network();
    std::vector<observed_view> seen;
    auto history = history_of(network, never{}, seen);
    for (std::size_t wanted = 0; wanted <= 4; ++wanted)
        CHECK(history.boundary(wanted) == boundary_of[wanted]);
    CHECK(history.boundary(5) == head_block);
    CHECK(history.boundary(std::numeric_limits<std::size_t>::max()) == head_block);
}

TEST_CASE("blocks that a policy wants frozen and that are none are left out") {
    auto network = make_network();
    std::vector<observed_view> seen;
    const auto history = history_of(network, never{}, seen);
    frozen_blocks wanted;
    for (const std::size_t block : {std::size_t{4}, std::size_t{99}, std::numeric_limits<std::size_t>::max()})
        wanted.insert(block);
    CHECK(history.frozen_behind(wanted).empty());
}

TEST_CASE("a network whose head alone learns has no frost line") {
    network<max_pool<float>, head> pooled(
        {4, 4, 3}, {max_pool<float>{}, max_pool<float>{}},
        {head{global_average_pool<float>{}, linear<float>{{.name = "only", .inputs = 3, .outputs = 2}}}});
    std::vector<observed_view> seen;
    auto history = history_of(
        pooled,
        [](const training_view& view) {
            CHECK(view.blocks == 1);
            CHECK(view.last_freezable == 0);
            return std::size_t{9};
        },
        seen);
    history.start(3);
    CHECK(history.take(1, 1, 0, 0, 0).wanted == 9);
    CHECK(history.boundary(9) == 0);
}

TEST_CASE("a pooling at the input freezes with the first block that learns") {
    network<max_pool<float>, convolution, head> pooled(
        {8, 8, 1}, {max_pool<float>{}}, {convolution(convolution_called("1", 1, 2))},
        {head{global_average_pool<float>{}, linear<float>{{.name = "2", .inputs = 2, .outputs = 2}}}});
    std::vector<observed_view> seen;
    auto history = history_of(pooled, never{}, seen);
    CHECK(history.boundary(0) == 0);
    CHECK(history.boundary(1) == 2);
    CHECK(history.boundary(2) == 2);
}

TEST_CASE("a scorer is shown each learning block that is not frozen, once and in order") {
    auto network = make_network();
    std::vector<observed_view> seen;
    auto history = history_of(network, never{}, seen);
    history.start(3);
    const auto initial = weights_of(network, 0, network.blocks());
    history.count_step(0.5);
    history.count_step(0.25);
    for (float& value : network.arenas().values()) value += 1;
    const auto decision = history.take(1, 2, 0.7, 2.5, 0);

    CHECK(decision.epoch == 1);
    CHECK(decision.step == 2);
    CHECK(decision.steps == 2);
    CHECK(decision.learning_rate_sum == 0.75);
    CHECK(decision.learning_rate_left == 2.5);
    CHECK(decision.blocks == std::vector<std::size_t>{0, 1, 3, 4, 5});
    REQUIRE(seen.size() == 5);
    for (std::size_t i = 0; i < 5; ++i) {
        const std::size_t block = decision.blocks[i];
        CHECK(seen[i].block == block);
        CHECK(seen[i].decision == 0);
        CHECK(seen[i].steps == 2);
        CHECK(seen[i].learning_rate_sum == 0.75);
        CHECK(same_bits(seen[i].weights, weights_of(network, block, block + 1)));
        const auto first = initial.begin() + static_cast<std::ptrdiff_t>(network.block(block).first_value);
        const floats before(first, first + static_cast<std::ptrdiff_t>(seen[i].weights.size()));
        CHECK(same_bits(seen[i].previous_weights, before));
        CHECK(decision.scores[i] == 100.0 + static_cast<double>(block));
    }

    // The interval starts anew, and frozen blocks are not asked about.
    const auto second = weights_of(network, 0, network.blocks());
    seen.clear();
    history.count_step(0.125);
    network.arenas().values()[network.block(5).first_value] = 42;
    const auto next = history.take(2, 3, 0.6, 1.5, 3);
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].block == 3);
    CHECK(seen[0].decision == 1);
    CHECK(seen[0].steps == 1);
    CHECK(seen[0].learning_rate_sum == 0.125);
    CHECK(seen[2].weights[0] == 42);
    CHECK(seen[2].previous_weights[0] == second[network.block(5).first_value]);
    CHECK(next.scores == decision_scores{std::nullopt, std::nullopt, 103.0, 104.0, 105.0});
}

TEST_CASE("a scorer that does not observe previous weights is shown none") {
    auto network = make_network();
    std::vector<observed_view> seen;
    showing_scorer careless{.observes = {}, .seen = &seen};
    decision_history<small_network, showing_scorer, never> history(network, careless, never{});
    history.start(1);
    history.take(1, 1, 0, 0, 0);
    REQUIRE(seen.size() == 5);
    for (const auto& view : seen) {
        CHECK(view.previous_weights.empty());
        CHECK_FALSE(view.weights.empty());
    }
}

TEST_CASE("a step without before_update is refused where a scorer observes gradients or the path") {
    auto network = make_network();
    std::vector<observed_view> seen;
    for (const auto& observed : {observations{.gradient_sum = true}, observations{.gradient_pair = true},
                                 observations{.path_every = 2}}) {
        decision_history<small_network, showing_scorer, never> history(
            network, {.observes = observed, .seen = &seen}, never{});
        history.start(3);
        for (std::size_t step = 0; step < 2; ++step) {
            history.before_step(false);
            history.before_update(0);
            history.count_step(0.1);
        }
        CHECK_THROWS_WITH(history.count_step(0.1),
                          Catch::Matchers::ContainsSubstring("before_update was not called in this step"));
    }
}

TEST_CASE("a policy sees the run so far, in learning blocks") {
    auto network = make_network();
    std::vector<observed_view> seen;
    std::size_t asked = 0;
    auto history = history_of(
        network,
        [&](const training_view& view) {
            ++asked;
            CHECK(view.epoch == asked);
            CHECK(view.epochs == 7);
            CHECK(view.step == 10 * asked);
            CHECK(view.blocks == 5);
            CHECK(view.last_freezable == 4);
            CHECK(view.frozen == (asked == 1 ? 0 : 2));
            REQUIRE(view.scores.size() == asked);
            CHECK(view.scores.back()[0] == (asked == 1 ? std::optional(100.0) : std::nullopt));
            CHECK(view.scores.back()[4] == 105.0);
            REQUIRE(view.train_losses.size() == asked);
            CHECK(view.train_losses.back() == 1.0 / static_cast<double>(asked));
            REQUIRE(view.learning_rates.size() == asked);
            CHECK(view.learning_rates.back() == Catch::Approx(0.3));
            CHECK(view.learning_rate_left == 8.0 / static_cast<double>(asked));
            REQUIRE(view.costs.size() == 5);
            return std::size_t{3};
        },
        seen);
    history.start(7);
    for (std::size_t decision = 1; decision <= 2; ++decision) {
        history.count_step(0.2);
        history.count_step(0.4);
        const double inverse = 1.0 / static_cast<double>(decision);
        const auto taken = history.take(decision, 10 * decision, inverse, 8 * inverse, decision == 1 ? 0 : 3);
        CHECK(taken.wanted == 3);
    }
    CHECK(asked == 2);

    history.start(7);  // a new run begins without a past
    asked = 0;
    history.count_step(0.3);
    history.take(1, 10, 1.0, 8.0, 0);
    CHECK(asked == 1);
}

TEST_CASE("a policy is asked before the first step, too, by a view without decisions") {
    struct starting {
        std::size_t operator()(const training_view&) const { return 0; }
        std::size_t at_start(const training_view& view) const {
            CHECK(view.epochs == 7);
            CHECK(view.steps == 70);
            CHECK(view.blocks == 5);
            CHECK(view.last_freezable == 4);
            CHECK(view.scores.empty());
            CHECK(view.costs.size() == 5);
            CHECK(view.progress() == 0);
            return 2;
        }
    };
    auto network = make_network();
    std::vector<observed_view> seen;
    auto history = history_of(network, starting{}, seen);
    history.start(7, 70);
    CHECK(history.at_start() == 2);
    auto silent = history_of(network, never{}, seen);
    silent.start(7, 70);
    CHECK(silent.at_start() == 0);
}

TEST_CASE("a history without an end keeps the last decisions, and goes on counting them") {
    auto network = make_network();
    std::vector<observed_view> seen;
    std::size_t asked = 0;
    auto history = history_of(
        network,
        [&](const training_view& view) {
            ++asked;
            const std::size_t forgotten = asked > 3 ? asked - 3 : 0;
            REQUIRE(view.scores.size() == asked - forgotten);
            CHECK(view.train_losses.front() == static_cast<double>(forgotten + 1));
            CHECK(view.train_losses.back() == static_cast<double>(asked));
            CHECK(view.learning_rates.size() == view.scores.size());
            CHECK(view.first_step == 10 * forgotten);
            return std::size_t{0};
        },
        seen);
    history.start(7);
    for (std::size_t decision = 1; decision <= 6; ++decision) {
        history.count_step(0.1);
        history.keep_last(2, 10);
        history.take(decision, 10 * decision, static_cast<double>(decision), 1, 0);
        CHECK(seen.back().decision == decision - 1);
    }
    history.start(7);
    asked = 0;
    history.count_step(0.1);
    history.take(1, 10, 1, 1, 0);
    CHECK(seen.back().decision == 0);
}

TEST_CASE("a learning block carries the costs of the blocks without parameters behind it") {
    auto network = make_network();
    const auto blocks = costs_of_blocks(network);
    std::vector<block_costs> costs;
    std::vector<observed_view> seen;
    auto history = history_of(
        network,
        [&](const training_view& view) {
            costs.assign(view.costs.begin(), view.costs.end());
            return std::size_t{0};
        },
        seen);
    history.start(1);
    history.take(1, 1, 0, 0, 0);
    REQUIRE(costs.size() == 5);
    CHECK(costs[0].forward_flops == 2.0 * 14 * 14 * 8 * 9);
    CHECK(costs[1].forward_flops == 2.0 * 14 * 14 * 16 * 72);
    CHECK(costs[1].backward_flops == 2 * costs[1].forward_flops);
    CHECK(blocks[1].output_bytes == 14 * 14 * 16 * 4);
    CHECK(costs[1].output_bytes == 7 * 7 * 16 * 4);  // behind the pooling
    CHECK(costs[4].output_bytes == 10 * 4);
}
