// SPDX-License-Identifier: MIT
#pragma once

#include "matrix.hpp"

#include <filesystem>
#include <string>

/// What an epoch of `never` takes on this machine, its evaluation included: two steps of training and two
/// batches of the test set are timed, and what a sample takes is multiplied by the number of samples. The
/// time to read the data is not counted.
/// @param scratch  file for the record of these steps, which is removed again
/// @throws what run_training throws; frostline::data_error for a data set that is not there
double measured_epoch_seconds(const std::string& program, const workload& work,
                              const std::filesystem::path& scratch);
