// SPDX-License-Identifier: MIT
#pragma once

#include "matrix.hpp"
#include "rows.hpp"

#include <filesystem>

/// Writes table.md, one table a workload of means over seeds, and cells.csv, one line a cell.
/// @throws frostline::data_error when they cannot be written
void write_tables(const matrix& wanted, const results& finished, const std::filesystem::path& folder);
