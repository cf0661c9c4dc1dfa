// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/data/batches.hpp"
#include "frostline/features/checksum.hpp"
#include "frostline/train/training_options.hpp"

#include <array>
#include <charconv>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What has to be the same where a run goes on from a checkpoint: names for people, and values.
using run_identity = std::vector<std::pair<std::string, std::string>>;

/// All of it, to be compared.
inline std::string text_of(const run_identity& identity) {
    std::string text;
    for (const auto& [name, value] : identity) text += name + '=' + value + '\n';
    return text;
}

/// The shortest text that stands for this number alone.
inline std::string exact_text(double value) {
    std::array<char, 32> text{};
    return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

/// What every run has: its options, the schedule as far as nine of its rates tell, and the training set by
/// the ids of its samples. The network is compared array by array.
template <class T, dataset Train>
run_identity identity_of(const training_options& options, const Train& train) {
    const std::size_t steps_per_epoch = (train.size() + options.batch_size - 1) / options.batch_size;
    const std::size_t steps = options.epochs * steps_per_epoch;
    const auto ids = sample_ids(train);
    const auto bytes = std::as_bytes(std::span(ids));
    run_identity identity{
        {"number type", std::same_as<T, float> ? "float32" : "float64"},
        {"number of epochs", std::to_string(options.epochs)},
        {"batch size", std::to_string(options.batch_size)},
        {"weight decay", exact_text(options.weight_decay)},
        {"seed", std::to_string(options.seed)},
        {"number of shards", std::to_string(options.shards)},
        {"synchronised batch norm", options.synchronise_batch_norm ? "true" : "false"},
        {"number of steps between decisions", std::to_string(options.decide_every)},
        {"number of training samples", std::to_string(train.size())},
        {"checksum of the training samples' ids", std::to_string(checksum_of(bytes.data(), bytes.size()))},
        {"number of views", std::to_string(views_of(train))}};
    constexpr std::size_t parts = 8;
    for (std::size_t i = 0; i <= parts; ++i) {
        const std::size_t step = (steps - 1) / parts * i + (steps - 1) % parts * i / parts;
        const double rate =
            options.schedule({.step = step, .steps = steps, .steps_per_epoch = steps_per_epoch});
        identity.emplace_back(sentence("learning rate of step ", step), exact_text(rate));
    }
    return identity;
}

}  // namespace frostline
