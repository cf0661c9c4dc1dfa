// SPDX-License-Identifier: MIT
// A small network on a few hundred images, trained with every part in reach of a test.
#pragma once

#include "frostline/compose/network.hpp"
#include "frostline/compose/residual.hpp"
#include "frostline/compose/sequence.hpp"
#include "frostline/data/in_memory_dataset.hpp"
#include "frostline/data/named_dataset.hpp"
#include "frostline/features/any_feature_store.hpp"
#include "frostline/features/memory_feature_store.hpp"
#include "frostline/features/no_feature_store.hpp"
#include "frostline/freeze/any_policy.hpp"
#include "frostline/freeze/any_scorer.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "frostline/freeze/scorers/weight_change.hpp"
#include "frostline/layers/conv2d_batch_norm.hpp"
#include "frostline/layers/global_average_pool.hpp"
#include "frostline/layers/linear.hpp"
#include "frostline/layers/max_pool.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/train/trainer.hpp"

#include <cstring>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace small_run {

using namespace frostline;

using convolution = conv2d_batch_norm<float>;
using projection = conv2d_batch_norm<float, activation::none>;
using residual_block = residual<sequence<convolution, convolution>, projection>;
using head = sequence<global_average_pool<float>, linear<float>>;
using small_network = network<convolution, max_pool<float>, residual_block, head>;

inline conv2d_batch_norm_options convolution_called(const std::string& name, std::size_t inputs,
                                                    std::size_t outputs, std::size_t kernel = 3,
                                                    std::size_t stride = 1) {
    return {.convolution = {.name = name + ".conv",
                            .input_channels = inputs,
                            .output_channels = outputs,
                            .kernel = kernel,
                            .stride = stride,
                            .padding = kernel / 2},
            .norm_name = name + ".norm"};
}

/// Blocks 0 and 1 are convolutions, 2 is a pooling, 3 and 4 are residual, 5 is the head: five blocks learn.
inline small_network make_network(std::uint64_t seed = 1, std::size_t classes = 10) {
    std::vector<residual_block> residuals;
    residuals.emplace_back(sequence{convolution(convolution_called("3.a", 16, 16)),
                                    convolution(convolution_called("3.b", 16, 16))});
    residuals.emplace_back(sequence{convolution(convolution_called("4.a", 16, 24)),
                                    convolution(convolution_called("4.b", 24, 24))},
                           projection(convolution_called("4.shortcut", 16, 24, 1)));
    small_network made(
        {28, 28, 1},
        {convolution(convolution_called("0", 1, 8, 3, 2)), convolution(convolution_called("1", 8, 16))},
        {max_pool<float>{{.kernel = 2}}}, std::move(residuals),
        {head{global_average_pool<float>{},
              linear<float>{{.name = "head", .inputs = 24, .outputs = classes}}}});
    made.initialise(seed);
    return made;
}

/// The network block at which each number of frozen learning blocks puts the frost line.
inline constexpr std::size_t boundary_of[] = {0, 1, 3, 4, 5};
inline constexpr std::size_t head_block = 5;

/// The first images of Fashion-MNIST's test set, or stripes whose frequency is their class; 28x28, or padded
/// to 32x32.
inline in_memory_dataset<float> images(std::size_t count, std::size_t side = 28) {
    const std::size_t margin = (side - 28) / 2;
    tensor<float> pixels;
    resize(pixels, count, {side, side, 1});
    std::fill_n(pixels.data(), pixels.size(), 0.0f);
    std::vector<std::int32_t> targets(count);
    std::vector<float> image(28 * 28);
    const auto place = [&](std::size_t index) {
        for (std::size_t row = 0; row < 28; ++row)
            std::copy_n(image.data() + row * 28, 28,
                        pixels.data() + (index * side + row + margin) * side + margin);
    };
    std::error_code ignored;
    if (std::filesystem::exists(debian_fashion_mnist, ignored)) {
        static const auto all = load_named("fashion-mnist", "", dataset_part::test);
        for (std::size_t index = 0; index < count; ++index) {
            all.read(index, std::span<float>(image));
            targets[index] = all.target(index);
            place(index);
        }
    } else {
        for (std::size_t index = 0; index < count; ++index) {
            const random_stream noise(1, purpose::user, index);
            targets[index] = static_cast<std::int32_t>(index % 10);
            for (std::size_t i = 0; i < image.size(); ++i)
                image[i] = static_cast<float>(
                    0.5 +
                    0.4 *
                        std::sin(0.2 * static_cast<double>((targets[index] + 1) * static_cast<int>(i % 28))) +
                    0.1 * noise.normal(i));
            place(index);
        }
    }
    return {std::move(pixels), std::move(targets), 10};
}

/// The samples at [first, first + count) as a batch.
template <dataset Dataset>
tensor<float> batch_of(const Dataset& data, std::size_t first, std::size_t count) {
    std::vector<std::size_t> indices(count);
    std::iota(indices.begin(), indices.end(), first);
    tensor<float> batch;
    std::vector<std::int32_t> targets;
    std::vector<std::uint64_t> ids;
    load_batch(data, indices, batch, targets, ids);
    return batch;
}

using floats = std::vector<float>;

inline bool same_bits(std::span<const float> left, std::span<const float> right) {
    return left.size() == right.size() && std::memcmp(left.data(), right.data(), left.size_bytes()) == 0;
}
inline bool all_zero(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return value == 0; });
}

/// Weights of the blocks [first, last).
template <class Network>
floats weights_of(Network& network, std::size_t first, std::size_t last) {
    const auto all = network.arenas().values();
    return {all.begin() + static_cast<std::ptrdiff_t>(network.block(first).first_value),
            all.begin() + static_cast<std::ptrdiff_t>(network.block(last - 1).last_value)};
}

/// Running statistics of the blocks [first, last).
template <class Network>
floats statistics_of(Network& network, std::size_t first, std::size_t last) {
    floats found;
    for (std::size_t index = first; index < last; ++index)
        network.visit(index, [&](auto& block, auto&) {
            block.for_each_buffer([&](buffer<float>& item) {
                found.insert(found.end(), item.values.begin(), item.values.end());
            });
        });
    return found;
}

/// An sgd that the test keeps in reach.
struct shared_sgd {
    std::shared_ptr<sgd<float>> held = std::make_shared<sgd<float>>();

    void attach(std::span<const parameter_slice> slices) { held->attach(slices); }
    std::optional<std::size_t> step(std::span<float> values, std::span<const float> gradients,
                                    std::size_t first, std::span<const block_rate> rates) {
        return held->step(values, gradients, first, rates);
    }
    void reset(std::size_t first, std::size_t last) { held->reset(first, last); }
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        held->for_each_state(visit);
    }
};

/// Keeps every event, and the order in which they came: s(tart), . (step), e(poch), d(ecision), m(ove),
/// f(inish).
struct recorder {
    std::vector<run_started> starts{};
    std::vector<step_finished> steps{};
    std::vector<epoch_finished> epochs{};
    std::vector<decision_taken> decisions{};
    std::vector<frost_line_moved> moves{};
    std::vector<run_finished> ends{};
    std::string order{};
    std::function<void(const step_finished&)> on_step{};
    std::function<void(const epoch_finished&)> on_epoch{};
    std::function<void(const frost_line_moved&)> on_move{};

    void operator()(const run_started& event) { keep(starts, event, 's'); }
    void operator()(const step_finished& event) {
        if (on_step) on_step(event);
        keep(steps, event, '.');
    }
    void operator()(const epoch_finished& event) {
        if (on_epoch) on_epoch(event);
        keep(epochs, event, 'e');
    }
    void operator()(const decision_taken& event) { keep(decisions, event, 'd'); }
    void operator()(const frost_line_moved& event) {
        if (on_move) on_move(event);
        keep(moves, event, 'm');
    }
    void operator()(const run_finished& event) { keep(ends, event, 'f'); }

    std::vector<double> losses() const {
        std::vector<double> all;
        for (const auto& step : steps) all.push_back(step.loss);
        return all;
    }

private:
    template <class Event>
    void keep(std::vector<Event>& events, const Event& event, char letter) {
        events.push_back(event);
        order += letter;
    }
};

/// A policy that answers `wanted[e - 1]` after epoch e, and the last of them from then on.
inline any_policy answers(std::vector<std::size_t> wanted) {
    return {"answers", [wanted = std::move(wanted)](const training_view& view) {
                return wanted[std::min(view.epoch, wanted.size()) - 1];
            }};
}

/// A policy that answers `wanted[n]` at decision n, and the last of them from then on.
inline any_policy by_decision(std::vector<std::size_t> wanted) {
    return {"by_decision", [wanted = std::move(wanted)](const training_view& view) {
                return wanted[std::min(view.scores.size(), wanted.size()) - 1];
            }};
}

/// A network, its trainer and what it told, all in reach.
template <class Network = small_network>
struct test_run {
    Network trained;
    shared_sgd optimiser{};
    recorder events{};
    trainer<Network, softmax_cross_entropy<float>, shared_sgd, any_scorer<float>, any_policy,
            any_feature_store<float>, recorder>
        trains;

    test_run(Network initial, any_policy policy, any_feature_store<float> store = no_feature_store{},
             any_scorer<float> scorer = {"weight_change", weight_change{}})
        : trained(std::move(initial)),
          trains(trained, softmax_cross_entropy<float>{}, optimiser, std::move(scorer), std::move(policy),
                 std::move(store), events) {}

    /// Momentum of the blocks [first, last).
    floats momentum(std::size_t first, std::size_t last) {
        floats found;
        optimiser.for_each_state([&](const char*, std::span<float> state) {
            const auto begin = trained.block(first).first_value, end = trained.block(last - 1).last_value;
            found.assign(state.begin() + static_cast<std::ptrdiff_t>(begin),
                         state.begin() + static_cast<std::ptrdiff_t>(std::min(end, state.size())));
        });
        return found;
    }
    floats weights(std::size_t first, std::size_t last) { return weights_of(trained, first, last); }
    floats statistics(std::size_t first, std::size_t last) { return statistics_of(trained, first, last); }
    floats weights() { return weights(0, trained.blocks()); }

    /// Whether weights, statistics, momentum and losses have the same bits.
    bool equals(test_run& other) {
        const std::size_t all = trained.blocks();
        return same_bits(weights(), other.weights()) &&
               same_bits(statistics(0, all), other.statistics(0, all)) &&
               same_bits(momentum(0, all), other.momentum(0, all)) &&
               events.losses() == other.events.losses();
    }
};

/// The plan's costs for a network whose store has so many tiers: the same on every machine.
template <class Network>
plan_costs fixed_costs(const Network& network, std::size_t tiers = 1) {
    return assumed_costs(costs_of_blocks(network), tiers);
}

/// For the small network.
inline training_options options_for(std::size_t epochs, std::size_t batch_size = 32) {
    return {.epochs = epochs,
            .batch_size = batch_size,
            .schedule = constant{0.05},
            .weight_decay = 5e-4,
            .seed = 7,
            .costs = fixed_costs(make_network())};
}

inline constexpr std::size_t plenty = std::size_t{1} << 30;

/// A store that says it has room for all and keeps only the rows that `bytes` hold.
struct small_store : memory_feature_store<float> {
    using memory_feature_store<float>::memory_feature_store;
    std::size_t budget() const { return plenty; }
};

/// A store in reach of the test: it notes what it is asked, and can be made to ignore clear().
struct store_log {
    memory_feature_store<float> held{plenty};
    bool forgets = true;
    std::size_t clears = 0, hits = 0, misses = 0;
    std::map<std::uint64_t, floats> last_put{};  // by sample
};
struct observed_store {
    std::shared_ptr<store_log> log = std::make_shared<store_log>();

    void put(std::span<const feature_key> keys, const tensor<float>& rows) {
        const std::size_t size = rows.size() / keys.size();
        for (std::size_t row = 0; row < keys.size(); ++row)
            log->last_put[keys[row].sample] =
                floats(rows.data() + row * size, rows.data() + (row + 1) * size);
        log->held.put(keys, rows);
    }
    void get(std::span<const feature_key> keys, tensor<float>& rows, std::vector<std::size_t>& missed) {
        log->held.get(keys, rows, missed);
        log->misses += missed.size();
        log->hits += keys.size() - missed.size();
    }
    void prefetch(std::span<const feature_key>) {}
    void clear() {
        ++log->clears;
        if (log->forgets) log->held.clear();
    }
    std::size_t bytes() const { return log->held.bytes(); }
    std::size_t budget() const { return plenty; }
};

}  // namespace small_run
