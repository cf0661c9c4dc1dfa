// SPDX-License-Identifier: MIT
// Single layers: batch norm, pooling, linear, and the fused conv + batch norm + ReLU.

#include "frostline/core/parameter.hpp"
#include "frostline/layers/batch_norm.hpp"
#include "frostline/layers/conv2d_batch_norm.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/layers/max_pool.hpp"

#include <benchmark/benchmark.h>

#include <vector>

namespace {

using frostline::sample_shape;

// A layer with everything that a step needs of it.
template <class Layer>
class fixture {
public:
    fixture(Layer layer, std::size_t samples, const sample_shape& input)
        : layer_(std::move(layer)), input_(input) {
        std::vector<frostline::parameter<float>*> parameters;
        layer_.for_each_parameter([&](auto& item) { parameters.push_back(&item); });
        arenas_.bind(parameters);
        for (auto* item : parameters) frostline::initialise(*item, 1);
        resize(x_, samples, input);
        const frostline::random_stream draws(1, frostline::purpose::user);
        for (std::size_t i = 0; i < x_.size(); ++i)
            x_.data()[i] = static_cast<float>(draws.uniform(i)) - 0.5f;
        forward();
        dy_ = y_;
    }

    void forward() { layer_.forward(x_, y_, context_, workspace_, {.phase = frostline::phase::training}); }
    void backward() {
        layer_.backward(x_, y_, dy_, context_, workspace_, frostline::gradients::both, dx_);
        benchmark::DoNotOptimize(dx_.data());
    }

    double flops() const { return static_cast<double>(x_.shape()[0] * layer_.flops(input_).forward); }
    double bytes() const { return static_cast<double>((x_.size() + y_.size()) * sizeof(float)); }

private:
    Layer layer_;
    sample_shape input_;
    frostline::parameter_arenas<float> arenas_;
    frostline::tensor<float> x_, y_, dx_, dy_;
    typename Layer::context context_;
    frostline::workspace<float> workspace_;
};

void count(benchmark::State& state, double flops, double bytes) {
    using benchmark::Counter;
    if (flops > 0) state.counters["FLOP/s"] = Counter(flops, Counter::kIsIterationInvariantRate);
    state.counters["bytes/s"] = Counter(bytes, Counter::kIsIterationInvariantRate);
}

template <class Layer>
void run_forward(benchmark::State& state, Layer layer, std::size_t samples, sample_shape input) {
    fixture<Layer> tested(std::move(layer), samples, input);
    for (auto _ : state) tested.forward();
    count(state, tested.flops(), tested.bytes());
}

template <class Layer>
void run_backward(benchmark::State& state, Layer layer, std::size_t samples, sample_shape input) {
    fixture<Layer> tested(std::move(layer), samples, input);
    for (auto _ : state) tested.backward();
    count(state, 2 * tested.flops(), 2 * tested.bytes());
}

frostline::conv2d_batch_norm<float> fused(std::size_t channels) {
    return frostline::conv2d_batch_norm<float>{
        {.convolution = {.name = "c", .input_channels = channels, .output_channels = channels, .padding = 1},
         .norm_name = "n"}};
}

void batch_norm_forward(benchmark::State& state) {
    run_forward(state, frostline::batch_norm<float>("n", 64), 128, {32, 32, 64});
}
void batch_norm_backward(benchmark::State& state) {
    run_backward(state, frostline::batch_norm<float>("n", 64), 128, {32, 32, 64});
}
void max_pool_forward(benchmark::State& state) {
    run_forward(state, frostline::max_pool<float>{}, 128, {32, 32, 64});
}
void max_pool_backward(benchmark::State& state) {
    run_backward(state, frostline::max_pool<float>{}, 128, {32, 32, 64});
}
void linear_forward(benchmark::State& state) {
    run_forward(state, frostline::linear<float>{{.name = "l", .inputs = 4096, .outputs = 1000}}, 128,
                {1, 1, 4096});
}
void linear_backward(benchmark::State& state) {
    run_backward(state, frostline::linear<float>{{.name = "l", .inputs = 4096, .outputs = 1000}}, 128,
                 {1, 1, 4096});
}
void conv2d_batch_norm_forward(benchmark::State& state) {
    run_forward(state, fused(128), 128, {16, 16, 128});
}
void conv2d_batch_norm_backward(benchmark::State& state) {
    run_backward(state, fused(128), 128, {16, 16, 128});
}

BENCHMARK(batch_norm_forward)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(batch_norm_backward)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(max_pool_forward)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(max_pool_backward)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(linear_forward)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(linear_backward)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(conv2d_batch_norm_forward)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(conv2d_batch_norm_backward)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
