// SPDX-License-Identifier: MIT
#pragma once

#include "matrix.hpp"

#include <filesystem>
#include <string>

/// A matrix of which some cells are finished.
struct measured_matrix {
    matrix what;
    std::filesystem::path folder;
};

/// Writes projection.md: what each method would save of the FLOPs and hours of the workloads of `wanted`, on
/// the whole published data sets, if its blocks froze at the same shares of the run as in the finished cells
/// of the workload of that name in `measured`. Times a step of each such workload, and trains nothing; hours
/// are left out where a workload cannot be timed.
/// @param program  frostline-train
/// @throws frostline::data_error when no workload of that name has a finished cell, or a file cannot be read
/// or written; interrupted
void write_projection(const matrix& wanted, const measured_matrix& measured, const std::string& program,
                      const std::filesystem::path& folder);
