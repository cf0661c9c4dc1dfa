// SPDX-License-Identifier: MIT
// Effective GFLOP/s (those of direct convolution, whatever engine runs) of every engine and pass on the
// layers of VGG and ResNet. Run it with OPENBLAS_CORETYPE unset: set, it may hold OpenBLAS to an older
// instruction set.
#include "frostline/core/openblas.hpp"
#include "frostline/kernels/convolution.hpp"
#include "frostline/layers/convolution_options.hpp"

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>

namespace {

using namespace frostline;
using namespace frostline::kernels;

struct layer_size {
    std::size_t size, input_channels, output_channels, kernel, stride;
};

convolution_geometry geometry_of(const layer_size& layer, std::size_t samples) {
    auto g = frostline::geometry_of({.input_channels = layer.input_channels,
                                     .output_channels = layer.output_channels,
                                     .kernel = layer.kernel,
                                     .stride = layer.stride,
                                     .padding = layer.kernel / 2},
                                    {layer.size, layer.size, layer.input_channels});
    g.samples = samples;
    return g;
}

void convolution(benchmark::State& state, layer_size layer, std::size_t samples, convolution_pass pass,
                 phase how, convolution_engine engine) {
    const auto g = geometry_of(layer, samples);
    aligned_vector<float> x(g.samples * g.input_size(), 0.5f), y(g.samples * g.output_size(), 0.5f);
    aligned_vector<float> w(g.weight_size(), 0.01f);
    workspace<float> scratch;
    const auto run = [&] {
        switch (pass) {
            case convolution_pass::forward:
                convolution_forward<float>(g, x.data(), w.data(), {}, y.data(), how, scratch, engine);
                break;
            case convolution_pass::backward_input:
                convolution_backward_input<float>(g, y.data(), w.data(), x.data(), scratch, engine);
                break;
            case convolution_pass::backward_weights:
                convolution_backward_weights<float>(g, x.data(), y.data(), w.data(), scratch, engine);
                break;
        }
        benchmark::ClobberMemory();
    };
    run();  // the first call allocates the scratch, and its pages take longer than the convolution
    for (auto _ : state) run();
    const double operations =
        2.0 * static_cast<double>(g.multiply_accumulates()) * static_cast<double>(samples);
    state.counters["GFLOP/s"] =
        benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

void register_layer(const layer_size& layer, std::size_t samples) {
    const auto g = geometry_of(layer, samples);
    struct kind {
        convolution_pass pass;
        phase how;
        const char* name;
    };
    for (const kind& k : {kind{convolution_pass::forward, phase::training, "forward"},
                          kind{convolution_pass::forward, phase::inference, "inference"},
                          kind{convolution_pass::backward_input, phase::training, "backward_input"},
                          kind{convolution_pass::backward_weights, phase::training, "backward_weights"}}) {
        for (const auto engine : possible_engines(g)) {
            if (engine == convolution_engine::pointwise) continue;  // the direct one by another name
            auto chosen = choose_convolution_engine(g, k.pass, k.how);
            if (chosen == convolution_engine::pointwise) {
                chosen = own_product_is_fast ? convolution_engine::direct : convolution_engine::im2col;
            }
            const std::string name =
                std::string(k.name) + "/" + std::to_string(layer.input_channels) + "->" +
                std::to_string(layer.output_channels) + "@" + std::to_string(layer.size) + "x" +
                std::to_string(layer.size) + "/kernel:" + std::to_string(layer.kernel) +
                "/stride:" + std::to_string(layer.stride) + "/samples:" + std::to_string(samples) + "/" +
                std::string(name_of(engine)) + (chosen == engine ? "/chosen" : "");
            benchmark::RegisterBenchmark(name.c_str(), convolution, layer, samples, k.pass, k.how, engine)
                ->UseRealTime()
                ->Unit(benchmark::kMillisecond);
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    for (const layer_size& layer : {layer_size{32, 3, 64, 3, 1},
                                    {32, 3, 64, 7, 2},
                                    {56, 3, 64, 7, 2},
                                    {28, 1, 6, 5, 1},
                                    {14, 6, 16, 5, 1},
                                    {32, 64, 64, 3, 1},
                                    {16, 128, 128, 3, 1},
                                    {8, 256, 256, 3, 1},
                                    {4, 512, 512, 3, 1},
                                    {2, 512, 512, 3, 1},
                                    {32, 16, 16, 3, 1},
                                    {32, 64, 128, 3, 2},
                                    {16, 64, 256, 1, 1},
                                    {1, 512, 512, 1, 1}}) {
        register_layer(layer, 128);
    }
    register_layer({32, 64, 64, 3, 1}, 1);
    register_layer({8, 256, 256, 3, 1}, 1);
    register_layer({4, 512, 512, 3, 1}, 1);
    benchmark::AddCustomContext("openblas", openblas_get_corename());
    benchmark::AddCustomContext("threads", std::to_string(threads()));
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}
