// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// What a record tells of a run, epoch by epoch. What it does not tell is absent.
struct run_history {
    struct epoch {
        std::optional<double> accuracy;           ///< share
        std::optional<double> training_accuracy;  ///< of the samples trained on, while they were
        std::optional<double> seconds;            ///< of training
        std::optional<double> flops;              ///< forward and backward
        std::size_t frozen = 0;                   ///< leading blocks that did not learn
        std::size_t dropped = 0;  ///< leading blocks whose output came from the store, once it had it
        std::vector<std::size_t> frozen_behind{};
        std::vector<std::optional<double>>
            scores{};  ///< by block, of the last decision in the epoch or after it
    };

    std::size_t blocks = 0;  ///< of the network
    std::vector<epoch> epochs{};
    std::string scorer{};
    std::string machine{};  ///< threads, instruction set and versions
};

/// @param accuracy  test_accuracy or validation_accuracy
/// @throws frostline::data_error when the file cannot be read
run_history read_history(const std::filesystem::path& record, const std::string& accuracy);
