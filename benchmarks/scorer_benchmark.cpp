// SPDX-License-Identifier: MIT
// What scoring costs beside training: VGG-11 at batch 128 of 32x32x3, as run by the trainer's parts.
//
// observed_steps: an interval of steps and the decision behind it, without a policy; `none` is training
// alone, and what the others take longer is the overhead of their kind of scorer. The interval is as long as
// an epoch of 10,000 images, 79 steps, which makes one iteration take tens of seconds: differences of a
// percent then need --benchmark_repetitions. decision: the decision alone, in milliseconds and as a share of
// those steps, measured in the same process; step_hooks: what is observed at each step alone, as a share of
// one.

#include "frostline/freeze/named_scorer.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/models/vgg.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/testing/archetypes.hpp"
#include "frostline/train/decision_history.hpp"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t batch = 128, steps_per_epoch = 79;
constexpr double rate = 1e-3;

template <class Body>
double seconds_of(const Body& body) {
    const auto start = std::chrono::steady_clock::now();
    body();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

class scored_training {
    using network = frostline::vgg<float>;

public:
    explicit scored_training(const std::string& scorer)
        : network_(frostline::vgg11<float>({32, 32, 3}, 10)),
          targets_(batch),
          rates_(network_.blocks(), {rate, 5e-4}),
          history_(network_, scorer_called(scorer), frostline::never{}) {
        optimiser_.attach(network_.slices());
        fill(images_, batch, 1);
        const frostline::random_stream draws(1, frostline::purpose::user);
        for (std::size_t i = 0; i < batch; ++i) targets_[i] = static_cast<std::int32_t>(draws.bits(i) % 10);
        frostline::tensor<float> probe;
        if (history_.probe_samples() > 0) fill(probe, history_.probe_samples(), 2);
        history_.start(1, 0, std::move(probe));
        // Whatever allocates and measures does so before it is timed.
        for (int warm_up = 0; warm_up < 2; ++warm_up) {
            step(true);
            decide();
        }
    }

    void step(bool last) {
        history_.before_step(last);
        const auto& logits =
            network_.forward(images_, 0, network_.blocks(), {.phase = frostline::phase::training});
        loss_(logits, targets_, dlogits_);
        network_.backward(images_, dlogits_, 0, network_.blocks());
        history_.before_update(0);
        optimiser_.step(network_.arenas().values(), network_.arenas().gradients(), 0, rates_);
        history_.count_step(rate);
    }
    void observe_step(bool last) {
        history_.before_step(last);
        history_.before_update(0);
        history_.count_step(rate);
    }
    void decide() { benchmark::DoNotOptimize(history_.take(1, 1, 1, 1, 0)); }

private:
    static frostline::any_scorer<float> scorer_called(const std::string& text) {
        if (text == "none") return {text, frostline::scorer_archetype{}};
        return frostline::named_scorer<float>(text);
    }

    void fill(frostline::tensor<float>& images, std::size_t samples, std::uint64_t seed) {
        resize(images, samples, network_.input_shape());
        const frostline::random_stream draws(seed, frostline::purpose::user);
        for (std::size_t i = 0; i < images.size(); ++i)
            images.data()[i] = static_cast<float>(draws.uniform(i));
    }

    network network_;
    frostline::tensor<float> images_, dlogits_;
    std::vector<std::int32_t> targets_;
    std::vector<frostline::block_rate> rates_;
    frostline::sgd<float> optimiser_;
    frostline::softmax_cross_entropy<float> loss_;
    frostline::decision_history<network, frostline::any_scorer<float>, frostline::never> history_;
};

double seconds_of_step(scored_training& training) {
    constexpr int count = 5;
    return seconds_of([&] {
               for (int i = 0; i < count; ++i) training.step(false);
           }) /
           count;
}

void observed_steps(benchmark::State& state, const std::string& scorer) {
    scored_training training(scorer);
    for (auto _ : state) {
        state.SetIterationTime(seconds_of([&] {
            for (std::size_t step = 1; step <= steps_per_epoch; ++step)
                training.step(step == steps_per_epoch);
            training.decide();
        }));
    }
}

void decision(benchmark::State& state, const std::string& scorer) {
    scored_training training(scorer);
    const double seconds_of_epoch = steps_per_epoch * seconds_of_step(training);
    double sum = 0;
    for (auto _ : state) {
        training.observe_step(true);  // a decision without a step would have no evidence to look at
        const double seconds = seconds_of([&] { training.decide(); });
        state.SetIterationTime(seconds);
        sum += seconds;
    }
    state.counters["percent_of_epoch"] =
        100 * sum / static_cast<double>(state.iterations()) / seconds_of_epoch;
}

void step_hooks(benchmark::State& state, const std::string& scorer) {
    scored_training training(scorer);
    const double seconds_of_one = seconds_of_step(training);
    double sum = 0;
    for (auto _ : state) {
        const double seconds = seconds_of([&] { training.observe_step(false); });
        state.SetIterationTime(seconds);
        sum += seconds;
    }
    state.counters["percent_of_step"] = 100 * sum / static_cast<double>(state.iterations()) / seconds_of_one;
}

[[maybe_unused]] const bool registered = [] {
    for (const char* scorer :
         {"none", "weight_change", "weight_cosine", "path_ratio", "effective_perturbation", "gradient_norm",
          "gradient_change", "gradient_delta", "sensitivity_uncertainty", "activation_change",
          "similarity_preserving_loss", "linear_cka", "svcca"}) {
        const std::string name = scorer;
        const auto add = [&](const char* kind, auto* body) {
            benchmark::RegisterBenchmark((std::string(kind) + "/" + name).c_str(), body, name)
                ->Unit(benchmark::kMillisecond)
                ->UseManualTime();
        };
        add("observed_steps", observed_steps);
        add("decision", decision);
        add("step_hooks", step_hooks);
    }
    return true;
}();

}  // namespace
