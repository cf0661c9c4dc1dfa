// SPDX-License-Identifier: MIT
#pragma once

#include "matrix.hpp"
#include "statistics.hpp"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// Finished cells, by the name of their records.
using results = std::map<std::string, cell_result>;

/// A finished cell.
struct run {
    std::uint64_t seed = 0;
    cell what;
    cell_result result;
    bool timed = false;  ///< on the machine of `never` with this seed
};

/// One line of a workload's table: a method, or `never` in fewer epochs, over the seeds that have been run.
struct row {
    std::string name;
    bool fewer_epochs = false;  ///< `never`, to compare with
    std::vector<run> runs;
    std::vector<double> accuracies, differences, against_less;  ///< in points, by seed
    double forward_saved = 0, backward_saved = 0, training_saved = 0;
    double scoring = 0;                ///< FLOPs of scoring, as a share of the training FLOPs of `never`
    std::optional<double> time_ratio;  ///< median over the runs that were timed
    bool on_front = false;             ///< of accuracy against training FLOPs, among those with all seeds
};

/// A method over the workloads in which it has been run: means over their seeds, one a workload.
struct all_workloads {
    std::vector<double> differences, against_less, time_ratios, training_saved;

    void add(const row& line);

    /// The median over the workloads in which times can be compared.
    std::optional<double> time_ratio() const;

    /// The mean against `never` with as many FLOPs, and of how many workloads, where it is not all of them.
    std::string text_against_less() const;
};

/// The lines of a workload's table, `never` first; none before anything is finished.
std::vector<row> rows_of(const workload& work, const results& finished);

/// "never", or "never, 17 epochs" where those are fewer than the workload's.
std::string name_in_epochs(const method& how, const workload& work, std::size_t epochs);

/// The numbers of epochs of `never` between which its training FLOPs come to those of `result`; none where
/// that is less than one epoch, or no fewer than all.
std::vector<std::size_t> epochs_around(const cell_result& result, std::size_t epochs);

/// How many times faster, or nothing where no time can be compared.
std::string text_of(const std::optional<double>& time_ratio);

/// "1.25 ± 0.31", or the mean alone where there is no interval.
std::string text_of(const interval& values, bool sign);
