// SPDX-License-Identifier: MIT
#pragma once

#include <CLI/CLI.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What command-line options take. All of these read the text before CLI11 does, which would take "-1" for a
// huge number and "010" for 8.

CLI::Validator whole_number(std::uint64_t lowest,
                            std::uint64_t highest = std::numeric_limits<std::uint64_t>::max());

/// @param range  says the same in words
CLI::Validator number(double lowest, double highest, const char* range);

/// "4GiB", rewritten as bytes.
CLI::Validator size();

/// "2epochs", "500steps" or "10minutes"; a number without a unit counts epochs.
CLI::Validator checkpoint_interval();

/// An option where a name should be means that the name was forgotten. @param what  it names
CLI::Validator name(const char* what);

CLI::Validator store_name();
CLI::Validator encoding_name();

/// What classes_in() understands.
CLI::Validator class_list();

/// "0-4" or "0,2,5-9". @return nothing where it is neither
std::optional<std::vector<std::size_t>> classes_in(std::string_view text);
