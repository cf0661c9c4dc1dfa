// SPDX-License-Identifier: MIT
#pragma once

#include "history.hpp"
#include "rows.hpp"

#include <cstddef>
#include <string>
#include <vector>

/// A row of a workload's table and what its records tell: drawn alike in all plots of the workload.
struct series {
    row of;
    std::size_t index = 0;  ///< by which it has its colour, dashes and shape
    std::vector<run_history> histories;

    std::string style() const;
};

/// How many levels a score map has.
inline constexpr int score_levels = 9;

/// Where scores of one scorer lie, for one scale in all of a workload's maps.
struct score_scale {
    double low = 0, high = 0;
    bool logarithmic = false;  ///< where all are positive

    int level_of(double score) const;
};

enum class epoch_value { accuracy, training_accuracy, flops, seconds };
enum class cost { flops, seconds };

/// A value over the epochs of a workload: the means over seeds, and each seed thinly.
std::string epoch_plot(const std::string& work, const std::vector<series>& all, epoch_value value);

/// Accuracy against what training took, with 95% intervals; `never` in fewer epochs is one line.
std::string cost_plot(const std::string& work, const std::vector<series>& all, cost axis_of_cost);

/// Which blocks learn (level 0), are frozen (1) and are dropped (2). `title` names the run in all maps.
std::string frost_map(const std::string& title, const run_history& history);

std::string score_map(const std::string& title, const run_history& history, const score_scale& scale);

score_scale scale_of(const std::vector<series>& all, const std::string& scorer);
