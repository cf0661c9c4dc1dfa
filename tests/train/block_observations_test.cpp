// SPDX-License-Identifier: MIT
#include "frostline/train/block_observations.hpp"

#include "small_run.hpp"
#include "support/catch.hpp"

using namespace small_run;

namespace {

/// A network under observation, whose steps the test makes by hand.
struct observed_network {
    small_network network = make_network();
    block_observations<small_network> watched;
    std::size_t steps = 0;

    explicit observed_network(const observations& observed) : watched(network, observed) {
        watched.start({});
    }

    /// Every gradient is `gradient`, and every weight from `frozen` on grows by `growth`.
    void step(float gradient, float growth, std::size_t frozen = 0, bool last = false,
              const std::vector<bool>& behind = {}) {
        watched.before_step(last);
        const std::size_t first = network.block(frozen).first_value;
        std::fill(network.arenas().gradients().begin() + static_cast<std::ptrdiff_t>(first),
                  network.arenas().gradients().end(), gradient);
        watched.before_update(frozen, behind, steps++);
        for (std::size_t i = first; i < network.arenas().values().size(); ++i)
            network.arenas().values()[i] += growth;
        watched.after_update();
    }
    block_view<float> view(std::size_t block) {
        watched.decide(0, steps);
        return watched.view(block);
    }
    void next_interval() {
        watched.next_interval();
        steps = 0;
    }
    double size_of(std::size_t block) const {
        return static_cast<double>(network.block(block).last_value - network.block(block).first_value);
    }
};

bool all_are(std::span<const float> values, float wanted) {
    return !values.empty() &&
           std::all_of(values.begin(), values.end(), [=](float value) { return value == wanted; });
}

}  // namespace

TEST_CASE("what is not observed is not there") {
    observed_network run({});
    run.step(1, 1, 0, true);
    run.step(1, 1, 0, true);
    const auto view = run.view(3);
    CHECK(view.block == 3);
    CHECK(view.steps == 2);
    CHECK(view.parameters == run.network.block(3).parameters);
    CHECK_FALSE(view.weights.empty());
    CHECK(view.previous_weights.empty());
    CHECK(view.initial_weights.empty());
    CHECK(view.path_length == 0);
    CHECK(view.gradient_sum.empty());
    CHECK(view.gradient.empty());
    CHECK(view.previous_gradient.empty());
    CHECK(view.probe_samples == 0);
    CHECK(view.outputs.empty());
    CHECK(view.reference_outputs.empty());
    CHECK(run.watched.flops() == 0);
}

TEST_CASE("the initial weights stay, and the previous ones follow") {
    observed_network run({.previous_weights = true, .initial_weights = true});
    const auto start = weights_of(run.network, 1, 2);
    run.step(0, 1);
    CHECK(same_bits(run.view(1).initial_weights, start));
    CHECK(same_bits(run.view(1).previous_weights, start));
    run.next_interval();
    const auto middle = weights_of(run.network, 1, 2);
    run.step(0, 1);
    CHECK(same_bits(run.view(1).initial_weights, start));
    CHECK(same_bits(run.view(1).previous_weights, middle));
    run.watched.start({});
    CHECK(same_bits(run.view(1).initial_weights, weights_of(run.network, 1, 2)));
}

TEST_CASE("gradients are summed over the steps since the last decision, of the blocks that learn") {
    observed_network run({.gradient_sum = true});
    run.step(1, 0);
    run.step(2, 0);
    CHECK(all_are(run.view(0).gradient_sum, 3));
    CHECK(all_are(run.view(5).gradient_sum, 3));
    run.next_interval();
    run.step(4, 0, 3);
    CHECK(all_are(run.view(0).gradient_sum, 0));
    CHECK(all_are(run.view(1).gradient_sum, 0));
    CHECK(all_are(run.view(3).gradient_sum, 4));
    run.watched.start({});
    CHECK(all_are(run.view(3).gradient_sum, 0));
}

TEST_CASE("the path is as long as the observed steps, times the number of all") {
    observed_network run({.path_every = 2});
    const double unit = std::sqrt(run.size_of(1));
    run.step(0, 1);
    CHECK(run.view(1).path_length == Catch::Approx(unit));
    run.step(0, 0.5f);  // nobody looks
    CHECK(run.view(1).path_length == Catch::Approx(2 * unit));
    run.step(0, -2);
    CHECK(run.view(1).path_length == Catch::Approx((1 + 2) * unit / 2 * 3).epsilon(1e-5));
    run.next_interval();
    CHECK(run.view(1).path_length == 0);
    run.step(0, 1, 3);
    CHECK(run.view(1).path_length == 0);
    CHECK(run.view(3).path_length == Catch::Approx(std::sqrt(run.size_of(3))).epsilon(1e-5));
}

TEST_CASE("every step of the path may be observed") {
    observed_network run({.path_every = 1});
    for (const float growth : {1.0f, 0.5f, -2.0f}) run.step(0, growth);
    CHECK(run.view(4).path_length == Catch::Approx(3.5 * std::sqrt(run.size_of(4))).epsilon(1e-5));
}

TEST_CASE("the gradients of the last two steps before a decision are kept") {
    observed_network run({.gradient_pair = true});
    run.step(1, 0, 0, true);
    CHECK(all_are(run.view(1).gradient, 1));
    CHECK(run.view(1).previous_gradient.empty());
    run.next_interval();
    run.step(2, 0);
    run.step(3, 0);
    run.step(4, 0, 0, true);
    CHECK(all_are(run.view(1).gradient, 4));
    CHECK(all_are(run.view(1).previous_gradient, 3));
    run.next_interval();
    run.step(5, 0, 3, true);  // decisions after single steps, and some blocks frozen
    CHECK(run.view(1).gradient.empty());
    CHECK(all_are(run.view(3).gradient, 5));
    CHECK(all_are(run.view(3).previous_gradient, 4));
    run.next_interval();
    run.step(6, 0, 0, true);  // thawed
    CHECK(all_are(run.view(1).gradient, 6));
    CHECK(run.view(1).previous_gradient.empty());
    CHECK(all_are(run.view(3).previous_gradient, 5));
    run.next_interval();
    std::vector<bool> behind(run.network.blocks());
    behind[3] = true;
    run.step(7, 0, 0, true, behind);  // a block behind others that learn
    CHECK(run.view(3).gradient.empty());
    CHECK(all_are(run.view(4).gradient, 7));
    run.next_interval();
    run.step(8, 0, 0, true);
    CHECK(all_are(run.view(3).gradient, 8));
    CHECK(run.view(3).previous_gradient.empty());
    CHECK(all_are(run.view(4).previous_gradient, 7));
    run.watched.start({});
    run.step(7, 0, 0, true);
    CHECK(run.view(1).previous_gradient.empty());
}

TEST_CASE("a run of a scorer that observes outputs needs a probe batch") {
    auto network = make_network();
    block_observations<small_network> watched(network, {.probe_samples = 4});
    CHECK_THROWS_WITH(watched.start({}),
                      "the scorer observes outputs on 4 samples, but the run starts without a probe batch");
    CHECK_NOTHROW(watched.start(batch_of(images(4), 0, 4)));
}
