// SPDX-License-Identifier: MIT

#include "settings.hpp"

#include "frostline/data/named_dataset.hpp"
#include "frostline/models/named_model.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <iostream>

namespace {

void print_lists() {
    std::cout << "models:\n";
    for (const auto& model : frostline::named_models) std::cout << "  " << model << '\n';
    std::cout << "data sets:\n";
    for (const auto& set : frostline::named_datasets) std::cout << "  " << set.name << '\n';
    std::cout
        << "policies (NAME or NAME:key=value,...):\n"
           "  never           freezes nothing\n"
           "  linear          a fixed schedule: start, end, share (each a share of the run or of the "
           "blocks)\n"
           "  learn_and_drop  by parameter change, now and still to come: warm_up, below_peak, remaining,\n"
           "                  keep_active, patience, at_most\n"
           "schedules (NAME or NAME:key=value,...; all take warm_up=EPOCHS and per_epoch=1):\n"
           "  constant, cosine (final), step (every, factor), one_cycle (rising, start_divisor, "
           "final_divisor)\n";
}

}  // namespace

settings parse(int argc, char** argv) {
    settings chosen;
    CLI::App app{"Trains a convolutional network, and freezes and drops its blocks as they converge.",
                 "frostline-train"};
    app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.add_option("--model", chosen.model, "Network to train; --list names them")->type_name("NAME");
    app.add_option("--data", chosen.data, "Data set; --list names them")->type_name("NAME");
    app.add_option("--data-dir", chosen.data_dir,
                   "Folder with the data set (default: FROSTLINE_DATA, then where Debian puts it)")
        ->type_name("DIR");
    app.add_option("--policy", chosen.policy,
                   "Freezing policy, NAME or NAME:key=value,...; --list names them")
        ->type_name("POLICY");
    app.add_option("--epochs", chosen.epochs, "Passes over the training set")->type_name("N");
    app.add_option("--batch-size", chosen.batch_size, "Samples a step")->type_name("N");
    app.add_option("--lr", chosen.learning_rate, "Learning rate at the schedule's peak")->type_name("RATE");
    app.add_option("--schedule", chosen.schedule, "Learning-rate schedule, NAME or NAME:key=value,...")
        ->type_name("SCHEDULE");
    app.add_option("--momentum", chosen.momentum, "Momentum of SGD")->type_name("SHARE");
    app.add_flag("--nesterov", chosen.nesterov, "Nesterov's momentum");
    app.add_option("--weight-decay", chosen.weight_decay, "Weight decay, not on biases and batch norm")
        ->type_name("RATE");
    app.add_option("--label-smoothing", chosen.label_smoothing,
                   "Share of each target spread over all classes")
        ->type_name("SHARE");
    app.add_option("--seed", chosen.seed, "Seed of weights, batch order and split")->type_name("N");
    app.add_option("--threads", chosen.threads, "Threads to compute on (default: one a core)")
        ->type_name("N")
        ->check(CLI::Range(1, 4096))
        ->always_capture_default(false);
    app.add_option("--train-limit", chosen.train_limit, "Train on the first N samples only; 0: on all")
        ->type_name("N");
    app.add_option("--test-limit", chosen.test_limit, "Test on the first N samples only; 0: on all")
        ->type_name("N");
    app.add_option("--validation", chosen.validation_share,
                   "Share of the training set held out for validation")
        ->type_name("SHARE");
    app.add_option("--store", chosen.store, "Where the outputs of dropped blocks go")
        ->check(CLI::IsMember({"memory", "none"}));
    app.add_option("--store-budget", chosen.store_budget,
                   "The most the feature store may hold, as 4GiB or 500MB")
        ->transform(CLI::AsSizeValue(false))
        ->type_name("SIZE")
        ->default_str("4GiB");
    app.add_option("--record", chosen.record, "File for the record of the run, JSON lines")
        ->type_name("FILE");
    app.add_flag("--compare", chosen.compare,
                 "Train with policy never first, then with the policy: same weights, same batches");
    app.add_flag("--quiet", chosen.quiet, "No progress and no table");
    app.add_flag_callback(
        "--list",
        [] {
            print_lists();
            std::exit(EXIT_SUCCESS);
        },
        "List models, data sets, policies and schedules");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& failure) {
        std::exit(app.exit(failure));
    }
    return chosen;
}
