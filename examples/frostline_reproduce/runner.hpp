// SPDX-License-Identifier: MIT
#pragma once

#include "matrix.hpp"
#include "rows.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// Reads the cells of a matrix that are finished, runs those that are not, and keeps what each record came
/// from, so that a changed matrix runs anew.
class runner {
public:
    /// @param program  frostline-train
    /// @throws frostline::data_error when the folder's commands.json is no such file, and for a finished cell
    /// without the matrix's accuracy
    runner(matrix wanted, std::filesystem::path folder, std::string program);

    /// Prints what the cells that are left will take, from measured steps of their workloads. A workload that
    /// cannot be timed, as for want of its data, is passed over.
    /// @throws interrupted
    void print_expected_time();

    /// Tells of finished cells of the matrix that other options have trained, or of which commands.json does
    /// not tell the options: a run would overwrite them, and tables leave them out. Empty where there are
    /// none.
    /// @throws frostline::data_error for such a record without the matrix's accuracy
    std::string others_finished() const;

    /// After print_expected_time, whose paces tell the time left.
    /// A cell that fails is passed over. @throws interrupted after a signal; frostline::data_error for what
    /// cannot be read or written
    void run_all();

    const results& finished() const { return finished_; }

    /// Why cells failed, one sentence each.
    const std::vector<std::string>& failures() const { return failures_; }

private:
    struct planned_cell {
        cell what;
        std::string workload;
    };

    // With the names of their workloads.
    std::vector<std::pair<std::string, cell>> cells() const;
    std::vector<std::pair<std::string, cell>> cells_of_less_training() const;
    bool read(const cell& what);
    void plan(const cell& what, const std::string& work);
    void run_planned();
    // Runs of `never` in fewer epochs that a seed's methods will be compared with, which are neither finished
    // nor planned, and their epochs; by what is expected of methods that are not finished.
    struct less_training {
        std::size_t runs = 0;
        double epochs = 0;
    };
    less_training less_training_left(const workload& work, std::uint64_t seed) const;

    bool is_planned(const std::string& record) const;
    double seconds_left(std::size_t first) const;
    void keep_commands() const;

    matrix wanted_;
    std::filesystem::path folder_;
    std::string program_;
    nlohmann::ordered_json commands_ = nlohmann::ordered_json::object();
    results finished_;
    std::vector<std::string> failures_;
    std::set<std::string> failed_;  // the records of those cells
    std::vector<planned_cell> planned_;
    std::size_t started_ = 0;
    std::map<std::string, std::pair<double, double>> pace_;  // epochs and seconds, by workload
};
