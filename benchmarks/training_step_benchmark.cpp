// SPDX-License-Identifier: MIT
// Whole training steps: forward, loss, backward and update of VGG at batch 128 of 32x32x3; and what a step
// costs when the first blocks are dropped, beside the share of the FLOPs that remain.

#include "frostline/core/openblas.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/models/vgg.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/train/flop_counter.hpp"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <string>
#include <vector>

namespace {

constexpr std::size_t batch = 128;

// Which instruction set OpenBLAS runs with: the environment may hold it down.
[[maybe_unused]] const bool context_added = [] {
    benchmark::AddCustomContext("blas_core", openblas_get_corename());
    benchmark::AddCustomContext("threads", std::to_string(frostline::threads()));
    return true;
}();

class training_step {
public:
    training_step(frostline::vgg<float> network, std::size_t dropped)
        : network_(std::move(network)),
          dropped_(dropped),
          targets_(batch),
          rates_(network_.blocks(), {1e-3, 5e-4}) {
        optimiser_.attach(network_.slices());
        resize(features_, batch, network_.shape_at(dropped));
        const frostline::random_stream draws(1, frostline::purpose::user);
        for (std::size_t i = 0; i < features_.size(); ++i)
            features_.data()[i] = static_cast<float>(draws.uniform(i));
        for (std::size_t i = 0; i < batch; ++i) targets_[i] = static_cast<std::int32_t>(draws.bits(i) % 10);
        run();
    }

    void run() {
        const std::size_t blocks = network_.blocks();
        const auto& logits = network_.forward(features_, dropped_, blocks,
                                              {.phase = frostline::phase::training, .step = step_++});
        loss_(logits, targets_, dlogits_);
        network_.backward(features_, dlogits_, dropped_, blocks);
        optimiser_.step(network_.arenas().values(), network_.arenas().gradients(), dropped_, rates_);
    }

    void count(benchmark::State& state) const {
        frostline::flop_counter flops(network_);
        flops.add_step(batch, 0, dropped_, dropped_);
        const double spent = static_cast<double>(flops.forward() + flops.backward());
        const double full = static_cast<double>(flops.forward_full() + flops.backward_full());
        using benchmark::Counter;
        state.counters["images/s"] = Counter(batch, Counter::kIsIterationInvariantRate);
        state.counters["FLOP/s"] = Counter(spent, Counter::kIsIterationInvariantRate);
        state.counters["FLOPs_left"] = Counter(spent / full);
    }

private:
    frostline::vgg<float> network_;
    std::size_t dropped_;
    frostline::tensor<float> features_, dlogits_;
    std::vector<std::int32_t> targets_;
    std::vector<frostline::block_rate> rates_;
    frostline::sgd<float> optimiser_;
    frostline::softmax_cross_entropy<float> loss_;
    std::uint64_t step_ = 0;
};

void run(benchmark::State& state, frostline::vgg<float> network, std::size_t dropped) {
    training_step step(std::move(network), dropped);
    for (auto _ : state) step.run();
    step.count(state);
}

void vgg11_step(benchmark::State& state) { run(state, frostline::vgg11<float>({32, 32, 3}, 10), 0); }
void vgg16_step_with_dropped_blocks(benchmark::State& state) {
    run(state, frostline::vgg16<float>({32, 32, 3}, 10), static_cast<std::size_t>(state.range(0)));
}

void sgd_step(benchmark::State& state) {
    auto network = frostline::vgg11<float>({32, 32, 3}, 10);
    frostline::sgd<float> optimiser;
    optimiser.attach(network.slices());
    const std::vector<frostline::block_rate> rates(network.blocks(), {1e-3, 5e-4});
    for (auto _ : state) optimiser.step(network.arenas().values(), network.arenas().gradients(), 0, rates);
    // Reads values, gradients and momentum, writes values and momentum.
    state.counters["bytes/s"] =
        benchmark::Counter(static_cast<double>(5 * sizeof(float) * network.parameters()),
                           benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(sgd_step)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(vgg11_step)->Unit(benchmark::kMillisecond)->UseRealTime();
// Behind each block of VGG-16: 13 convolutions, 5 poolings and the head.
BENCHMARK(vgg16_step_with_dropped_blocks)->DenseRange(0, 17)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
