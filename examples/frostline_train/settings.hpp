// SPDX-License-Identifier: MIT
#pragma once

#include "process_group.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The numbers that a network is made of.
using scalar = float;

/// What the command line says.
struct settings {
    std::string model = "vgg11";
    std::string data = "fashion-mnist";
    std::string data_dir;
    std::string policy = "learn_and_drop";
    std::size_t decide_every = 0;         // steps; 0: after each epoch
    std::string scorer;                   // empty: the one that the policy is meant for
    std::vector<std::string> also_score;  // scorers that are recorded, too
    std::size_t epochs = 10;
    std::size_t batch_size = 128;
    std::size_t shards = 0;  // 0: one a process
    bool synchronise_batch_norm = false;
    double learning_rate = 0.05;
    double rate_decay = 1;  // of the learning rate, from the head to each block before it
    std::string schedule = "cosine";
    double momentum = 0.9;
    bool nesterov = false;
    double weight_decay = 5e-4;
    double label_smoothing = 0;
    std::uint64_t seed = 0;
    int threads = 0;      // 0: one for each core that it may use
    std::string weights;  // a file; empty: drawn from the seed
    bool replace_head = false;
    std::string class_list;  // as it was written; empty: all
    std::vector<std::size_t> classes;
    std::size_t train_limit = 0;  // 0: all
    std::size_t test_limit = 0;   // 0: all
    double validation_share = 0;
    std::size_t evaluate_every = 1;  // epochs
    bool augment = false;
    std::size_t views = 0;                  // of each training image; 0: another in each epoch
    std::optional<std::size_t> image_size;  // of Imagenette
    std::string store = "auto";
    std::size_t store_budget = std::size_t{4} << 30;
    std::string store_encoding = "float32";
    std::string plan_costs;  // a record
    std::string record;
    std::string save;
    std::string checkpoint;                    // a folder; empty: none
    std::string checkpoint_every = "1epochs";  // a number, and epochs, steps or minutes
    std::size_t checkpoint_keep = 3;
    bool resume = false;
    bool resume_older = false;  // passes over damaged checkpoints
    bool compare = false;
    bool summary = false;
    bool verify = false;
    bool quiet = false;
};

/// Reads the command line; nothing after --help, --list and --version, which it has answered then.
/// @throws frostline::argument_error for what it cannot read
std::optional<settings> parse(int argc, char** argv);

/// Trains as the settings say, together with the other processes, of which the first one prints and writes. A
/// run that is interrupted in any of them finishes its step and its record, and is the last.
/// @return whether a run was cut short. @throws frostline::error
bool train(const settings& chosen, const std::atomic<bool>& interrupted, process_group& processes);

/// Prints for each file of the data set whether it is as published. @throws frostline::error unless all are
void verify(const settings& chosen);
