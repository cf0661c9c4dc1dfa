// SPDX-License-Identifier: MIT
// What the exchange of gradients adds to a training step: steps with and without it, in turn, in processes
// that mpirun started. Prints one line of JSON.

#include "frostline/core/parallel.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/stopwatch.hpp"
#include "frostline/distributed/mpi.hpp"
#include "frostline/distributed/single_process.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/models/named_model.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/train/data_parallel.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace {

struct settings {
    std::string model = "vgg11";
    std::size_t size = 32;    // height and width of an image
    std::size_t batch = 64;   // images a process and step
    std::size_t frozen = 0;   // leading blocks
    std::size_t dropped = 0;  // of these
    std::size_t steps = 5;    // a round
    std::size_t rounds = 7;
    std::size_t bucket_kib = 4096;
    bool synchronise = false;
};

// Trains on noise.
template <class Network>
class workload {
public:
    workload(Network& network, const settings& chosen)
        : network_(network), chosen_(chosen), targets_(chosen.batch), rates_(network.blocks(), {1e-3, 5e-4}) {
        optimiser_.attach(network.slices());
        resize(features_, chosen.batch, network.shape_at(chosen.dropped));
        const frostline::random_stream draws(1, frostline::purpose::user);
        for (std::size_t i = 0; i < features_.size(); ++i)
            features_.data()[i] = static_cast<float>(draws.uniform(i));
        for (std::size_t i = 0; i < chosen.batch; ++i)
            targets_[i] = static_cast<std::int32_t>(draws.bits(i) % 10);
    }

    // Seconds that a step takes.
    template <class Communicator>
    double measure(Communicator& processes) {
        const frostline::training_options options{
            .batch_size = chosen_.batch * processes.size(),
            .shards = processes.size(),
            .synchronise_batch_norm = chosen_.synchronise,
            .bucket_bytes = chosen_.bucket_kib << 10};
        frostline::data_parallel<Network, Communicator> together(network_, processes, options,
                                                                 options.batch_size);
        const frostline::stopwatch watch;
        for (std::size_t step = 0; step < chosen_.steps; ++step) run(together, options.batch_size);
        return watch.seconds() / static_cast<double>(chosen_.steps);
    }

private:
    template <class Together>
    void run(Together& together, std::size_t samples) {
        const std::size_t frozen = chosen_.frozen, blocks = network_.blocks();
        const auto& input = network_.forward(features_, chosen_.dropped, frozen, {});
        const auto& logits = network_.forward(input, frozen, blocks,
                                              {.phase = frostline::phase::training,
                                               .step = step_++,
                                               .reduction = together.reduction()});
        frostline::step_figures figures{.loss = loss_(logits, targets_, dlogits_)};
        together.start_step(samples, dlogits_, frozen, {});
        network_.backward(input, dlogits_, frozen, blocks, frostline::gradients::parameters, {},
                          [&](std::size_t block) { together.add_block(block, {}); });
        together.finish_step(figures);
        optimiser_.step(network_.arenas().values(), network_.arenas().gradients(), frozen, rates_);
    }

    Network& network_;
    const settings& chosen_;
    frostline::softmax_cross_entropy<float> loss_;
    frostline::sgd<float> optimiser_;
    frostline::tensor<float> features_, dlogits_;
    std::vector<std::int32_t> targets_;
    std::vector<frostline::block_rate> rates_;
    std::size_t step_ = 0;
};

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    settings chosen;
    CLI::App app{"Measures what the exchange of gradients adds to a step.", "frostline-exchange"};
    app.option_defaults()->always_capture_default();
    app.add_option("--model", chosen.model, "Network");
    app.add_option("--size", chosen.size, "Height and width of an image");
    app.add_option("--batch", chosen.batch, "Images of a process in a step");
    app.add_option("--frozen", chosen.frozen, "Leading blocks that are frozen");
    app.add_option("--dropped", chosen.dropped, "Leading blocks that are dropped, at most the frozen ones");
    app.add_option("--steps", chosen.steps, "Steps of a round");
    app.add_option("--rounds", chosen.rounds, "Rounds without the exchange, and as many with it");
    app.add_option("--bucket", chosen.bucket_kib, "KiB of gradients that are exchanged at a time");
    app.add_flag("--sync-batch-norm", chosen.synchronise, "Batch norm over the whole batch");
    CLI11_PARSE(app, argc, argv);

    frostline::mpi processes;
    frostline::single_process alone;
    frostline::set_threads(1);
    frostline::with_model<float>(
        chosen.model, {chosen.size, chosen.size, 3}, 10, [&](auto network) {
            workload work(network, chosen);
            // Before each round all wait for the last one, so that nobody's delay counts twice.
            const auto meet = [&] {
                double nothing = 0;
                processes.sum(std::span(&nothing, 1));
            };
            work.measure(processes);
            std::vector<double> without, with;
            std::uint64_t bytes = 0;
            for (std::size_t round = 0; round < chosen.rounds; ++round) {
                meet();
                without.push_back(work.measure(alone));
                meet();
                const std::uint64_t before = processes.bytes();
                with.push_back(work.measure(processes));
                bytes = (processes.bytes() - before) / chosen.steps;
            }
            if (processes.rank() != 0) return;
            std::cout << nlohmann::ordered_json{{"model", chosen.model},
                                                {"batch", chosen.batch},
                                                {"frozen", chosen.frozen},
                                                {"dropped", chosen.dropped},
                                                {"processes", processes.size()},
                                                {"bytes_a_step", bytes},
                                                {"seconds_without", median(without)},
                                                {"seconds_with", median(with)},
                                                {"added", median(with) / median(without) - 1}}
                      << '\n';
        });
}
