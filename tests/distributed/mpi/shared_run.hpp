// SPDX-License-Identifier: MIT
// Small networks, trained by the processes of a communicator.
#pragma once

#include "frostline/compose/network.hpp"
#include "frostline/compose/residual.hpp"
#include "frostline/compose/sequence.hpp"
#include "frostline/data/in_memory_dataset.hpp"
#include "frostline/distributed/mpi.hpp"
#include "frostline/distributed/single_process.hpp"
#include "frostline/features/assumed_costs.hpp"
#include "frostline/features/memory_feature_store.hpp"
#include "frostline/freeze/any_policy.hpp"
#include "frostline/freeze/scorers/activation_change.hpp"
#include "frostline/freeze/scorers/weight_change.hpp"
#include "frostline/layers/batch_norm.hpp"
#include "frostline/layers/conv2d.hpp"
#include "frostline/layers/conv2d_batch_norm.hpp"
#include "frostline/layers/dropout.hpp"
#include "frostline/layers/global_average_pool.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/layers/max_pool.hpp"
#include "frostline/layers/relu.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/train/checkpoints.hpp"
#include "frostline/train/trainer.hpp"
#include "support/worse.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

namespace shared_run {

using namespace frostline;

/// All processes that mpirun started.
inline mpi& world() {
    static mpi processes;
    return processes;
}

/// An exception in one process must not leave the others waiting.
template <class Work>
void together(const Work& work) {
    set_threads(1);
    try {
        return work();
    } catch (const std::exception& failure) {
        std::cerr << "process " << world().rank() << ": " << failure.what() << '\n';
    } catch (...) {
        std::cerr << "process " << world().rank() << ": a requirement is not met\n";
    }
    world().abort();
}

template <class T>
using convolution = conv2d_batch_norm<T>;
template <class T>
using projection = conv2d_batch_norm<T, activation::none>;
template <class T>
using residual_block = residual<sequence<convolution<T>, convolution<T>>, projection<T>>;
template <class T>
using plain_block = sequence<conv2d<T>, batch_norm<T>, relu<T>>;
template <class T>
using head = sequence<global_average_pool<T>, dropout<T>, linear<T>>;
template <class T>
using small_network = network<convolution<T>, max_pool<T>, residual_block<T>, plain_block<T>, head<T>>;

inline convolution_options convolution_called(const std::string& name, std::size_t inputs,
                                              std::size_t outputs, std::size_t kernel = 3) {
    return {.name = name + ".conv",
            .input_channels = inputs,
            .output_channels = outputs,
            .kernel = kernel,
            .padding = kernel / 2};
}
inline conv2d_batch_norm_options normalised_called(const std::string& name, std::size_t inputs,
                                                   std::size_t outputs, std::size_t kernel = 3) {
    return {.convolution = convolution_called(name, inputs, outputs, kernel), .norm_name = name + ".norm"};
}

/// Blocks 0 and 1 are convolutions, 2 is a pooling, 3 is residual, 4 has a batch norm of its own, 5 is the
/// head: five blocks learn.
template <class T>
small_network<T> make_network() {
    std::vector<residual_block<T>> residuals;
    residuals.emplace_back(sequence{convolution<T>(normalised_called("3.a", 12, 16)),
                                    convolution<T>(normalised_called("3.b", 16, 16))},
                           projection<T>(normalised_called("3.shortcut", 12, 16, 1)));
    small_network<T> made(
        {12, 12, 1},
        {convolution<T>(normalised_called("0", 1, 8)), convolution<T>(normalised_called("1", 8, 12))},
        {max_pool<T>{{.kernel = 2}}}, std::move(residuals),
        {plain_block<T>{conv2d<T>{convolution_called("4", 16, 16)}, batch_norm<T>{"4.norm", 16}, relu<T>{}}},
        {head<T>{global_average_pool<T>{}, dropout<T>{"5.dropout", {.probability = 0.2}},
                 linear<T>{{.name = "head", .inputs = 16, .outputs = 4}}}});
    made.initialise(3);
    return made;
}

/// Stripes whose direction and width are their class, under noise.
inline in_memory_dataset<float> images(std::size_t count) {
    tensor<float> pixels;
    resize(pixels, count, {12, 12, 1});
    std::vector<std::int32_t> targets(count);
    for (std::size_t index = 0; index < count; ++index) {
        const random_stream noise(1, purpose::user, index);
        targets[index] = static_cast<std::int32_t>(index % 4);
        const double width = index % 4 < 2 ? 0.7 : 1.6;
        for (std::size_t i = 0; i < 144; ++i) {
            const auto place = static_cast<double>(index % 2 == 0 ? i % 12 : i / 12);
            pixels.data()[index * 144 + i] =
                static_cast<float>(0.5 + 0.4 * std::sin(width * place) + 0.2 * noise.normal(i));
        }
    }
    return {std::move(pixels), std::move(targets), 4};
}

/// A policy that wants `wanted[n]` blocks frozen at decision n, and the last of them from then on.
inline any_policy by_decision(std::vector<std::size_t> wanted) {
    return {"by_decision", [wanted = std::move(wanted)](const training_view& view) {
                return wanted[std::min(view.scores.size(), wanted.size()) - 1];
            }};
}

/// What a run is made of; ten epochs of five steps, of which the last is of 22 samples.
struct plan_of_run {
    std::size_t samples = 150;
    std::size_t epochs = 10;
    std::size_t shards = 4;
    bool synchronise = true;
    any_policy policy = by_decision({0});
    std::function<void(const step_finished&)> on_step{};
    std::function<void(const store_failed&)> on_failure{};
    std::stop_token stop{};
    checkpoints* saved = nullptr;
};

template <class T>
struct result_of_run {
    std::vector<T> weights{}, statistics{};
    std::vector<double> losses{};
    run_finished finished{};

    bool operator==(const result_of_run& other) const {
        const auto same = [](const auto& left, const auto& right) {
            return left.size() == right.size() &&
                   std::memcmp(left.data(), right.data(), left.size() * sizeof left[0]) == 0;
        };
        return same(weights, other.weights) && same(statistics, other.statistics);
    }
    double apart(const result_of_run& other) const {
        double most = 0;
        const auto compare = [&](const std::vector<T>& left, const std::vector<T>& right) {
            for (std::size_t i = 0; i < left.size(); ++i)
                take_worse(most, static_cast<double>(std::abs(left[i] - right[i])));
        };
        compare(weights, other.weights);
        compare(statistics, other.statistics);
        return most;
    }
};

template <class T, class Scorer = weight_change, class Communicator, class Store = memory_feature_store<T>>
result_of_run<T> train(plan_of_run plan, Communicator& processes, Scorer scorer = {},
                       Store store = Store(std::size_t{1} << 30)) {
    auto trained = make_network<T>();
    const auto data = images(plan.samples), test = images(70);
    result_of_run<T> result;
    auto steps = [&](const step_finished& event) {
        result.losses.push_back(event.loss);
        if (plan.on_step) plan.on_step(event);
    };
    auto failures = [&](const store_failed& event) {
        if (plan.on_failure) plan.on_failure(event);
    };
    trainer trains{trained,     softmax_cross_entropy<T>{}, sgd<T>{}, std::move(scorer),
                   plan.policy, std::move(store),           steps,    failures};
    const training_options options{.epochs = plan.epochs,
                                   .batch_size = 32,
                                   .schedule = constant{0.005},
                                   .seed = 7,
                                   .shards = plan.shards,
                                   // So slow that storing always pays.
                                   .costs = assumed_costs(costs_of_blocks(trained), 1, 1e7),
                                   .synchronise_batch_norm = plan.synchronise,
                                   .bucket_bytes = std::size_t{8} << 10};
    checkpoints none;
    auto& saved = plan.saved ? *plan.saved : none;
    result.finished = trains.run(options, data, test, {}, plan.stop, saved, processes);
    const auto values = trained.arenas().values();
    result.weights.assign(values.begin(), values.end());
    trained.for_each_buffer([&](buffer<T>& item) {
        result.statistics.insert(result.statistics.end(), item.values.begin(), item.values.end());
    });
    return result;
}

template <class T, class Scorer = weight_change>
result_of_run<T> train_alone(plan_of_run plan, Scorer scorer = {}) {
    single_process alone;
    return train<T>(std::move(plan), alone, std::move(scorer));
}

}  // namespace shared_run
