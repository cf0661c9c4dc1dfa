// SPDX-License-Identifier: MIT
#pragma once

#include "matrix.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

/// Finished cells, by the name of their records.
using results = std::map<std::string, cell_result>;

/// The numbers of epochs of `never` between which its training FLOPs come to those of `result`; none where
/// that is less than one epoch, or no fewer than all.
std::vector<std::size_t> epochs_around(const cell_result& result, std::size_t epochs);

/// Writes table.md, one table a workload of means over seeds, and cells.csv, one line a cell.
/// @throws frostline::data_error when they cannot be written
void write_tables(const matrix& wanted, const results& finished, const std::filesystem::path& folder);
