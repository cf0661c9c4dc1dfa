// SPDX-License-Identifier: MIT
#pragma once

#include "matrix.hpp"

#include "frostline/core/errors.hpp"

#include <filesystem>
#include <string>

/// A run was interrupted: so is the matrix.
struct interrupted {};

/// A run ended with an error.
struct cell_failed : frostline::error {
    using error::error;
};

/// Keeps the folder for this process and the runs that it starts, as long as one of them lives: a run goes on
/// writing its record where the program that started it was killed.
/// @throws frostline::data_error where another has it
void lock_folder(const std::filesystem::path& folder);

/// From here on SIGINT, SIGTERM and SIGHUP end the run that is going on, and `run_training` throws
/// `interrupted`.
void watch_signals();

/// Runs the program frostline-train with the cell's options, and waits for its end.
/// @param record  where the run's record goes; its folder is made
/// @throws interrupted after a signal, unless the run had finished; cell_failed when it fails
void run_training(const std::string& program, const cell& what, const std::filesystem::path& record);
