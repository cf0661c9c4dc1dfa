// SPDX-License-Identifier: MIT
#pragma once

#include "matrix.hpp"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

/// Of a scratch_file in the folder of results: nobody keeps a file of this name there.
inline constexpr const char* scratch_name = ".frostline-reproduce.jsonl";

/// A file that is gone at the end, however that comes.
struct scratch_file {
    std::filesystem::path path;

    explicit scratch_file(std::filesystem::path where) : path(std::move(where)) {}
    scratch_file(const scratch_file&) = delete;
    scratch_file& operator=(const scratch_file&) = delete;
    ~scratch_file() {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
    }
};

/// The value of an option, or what it is otherwise.
std::string option_text(const train_options& options, const char* name, const std::string& otherwise);

/// Samples that a workload trains and is tested on, before any are held out.
struct sample_counts {
    double training = 0, test = 0;
};

/// @throws frostline::data_error for a data set that is not there
sample_counts samples_here(const workload& work);

/// Of the published data set, whatever part of it is here.
/// @throws frostline::argument_error for a data set that is not known
sample_counts published_samples(const workload& work);

/// The share of the training samples that is held out.
double held_out_share(const workload& work);

/// What an epoch takes, with its share of the evaluations.
struct seconds_of_epoch {
    double training = 0, evaluation = 0;
};

/// What an epoch of `never` takes on this machine: two steps of training and two batches of the test set are
/// timed, and what a sample takes is multiplied by the number of samples. The time to read the data is not
/// counted.
/// @param scratch  file for the record of these steps, which is removed again
/// @throws what run_training throws; frostline::data_error for a data set that is not there
seconds_of_epoch measured_epoch_seconds(const std::string& program, const workload& work,
                                        const std::filesystem::path& scratch);
