// SPDX-License-Identifier: MIT
#pragma once

#include "matrix.hpp"
#include "rows.hpp"

#include <filesystem>

/// Writes index.html: tables and plots of all finished cells on one page, which needs no other file, no
/// network and no script.
/// @throws frostline::data_error when a record cannot be read or the page not be written
void write_page(const matrix& wanted, const results& finished, const std::filesystem::path& folder);
