// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Options of frostline-train by their long names, without the dashes; a switch has the value "".
using train_options = std::map<std::string, std::string>;

/// A freezing policy on a workload, with the options of both.
struct method {
    std::string name;
    train_options options;
    bool train_less = false;  ///< compare with `never` in fewer epochs, too
};

/// A model on a data set, and the seeds with which each of its methods trains it.
struct workload {
    std::string name;
    std::vector<std::uint64_t> seeds;
    std::size_t epochs = 0;
    std::vector<method> methods;  ///< `never` is the first
};

/// What the JSON file says.
struct matrix {
    std::string name;
    std::string accuracy;  ///< test_accuracy or validation_accuracy
    std::vector<workload> workloads;
    std::vector<std::string> methods;  ///< their names; a workload may have fewer
};

/// One run of frostline-train.
struct cell {
    std::string record;  ///< its file below the folder of results
    train_options options;
    std::size_t epochs = 0;
};

/// What a finished cell's record holds.
struct cell_result {
    double accuracy = 0;  ///< share, after the last epoch
    double seconds = 0;   ///< of training
    double evaluation_seconds = 0;
    double forward_flops = 0, forward_flops_full = 0;
    double training_flops = 0, training_flops_full = 0;
    double scoring_flops = 0;      ///< beside those of training
    bool has_costs = false;        ///< by which its plan decided what to drop
    std::string policy_options{};  ///< all of them, as JSON; empty in records that do not tell
    std::string machine{};         ///< threads and instruction set: times are compared on the same alone
};

/// @throws frostline::data_error in one sentence for a file that is no matrix
matrix read_matrix(const std::filesystem::path& path);

/// @param epochs  those of the workload, or fewer
cell cell_of(const workload& work, const method& how, std::uint64_t seed, std::size_t epochs);

/// What to type to run a cell.
std::string command_of(const cell& what);

/// What to type in the folder of results to run a finished cell again with the same decisions.
std::string command_of(const cell& what, const cell_result& result);

/// What the record holds, where it is one of a run that came to its end.
std::optional<cell_result> read_result(const std::filesystem::path& record, const std::string& accuracy);
