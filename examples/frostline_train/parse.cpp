// SPDX-License-Identifier: MIT

#include "settings.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/version.hpp"
#include "lists.hpp"
#include "validators.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace {

// --help and its like are answered whatever else is wrong. In the reverse order, as CLI11 wants it.
std::vector<std::string> arguments(int argc, char** argv) {
    std::vector<std::string> all(argv + std::min(argc, 1), argv + argc);
    for (const char* wish : {"--help", "-h", "--list", "--version"})
        if (std::find(all.begin(), all.end(), wish) != all.end()) return {wish};
    std::reverse(all.begin(), all.end());
    return all;
}

}  // namespace

std::optional<settings> parse(int argc, char** argv) {
    settings chosen;
    constexpr double most = std::numeric_limits<double>::max();
    constexpr const char* not_negative = "a finite number of at least 0";
    constexpr const char* share = "a number from 0 to 1";
    CLI::App app{"Trains a convolutional network, and freezes and drops its blocks as they converge.",
                 "frostline-train"};
    app.set_version_flag("--version", "frostline-train " + std::string(frostline::version_string));
    app.option_defaults()->always_capture_default()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.add_option("--model", chosen.model, "Network to train; --list names them")
        ->type_name("NAME")
        ->transform(name("a model"));
    app.add_option("--data", chosen.data, "Data set; --list names them")
        ->type_name("NAME")
        ->transform(name("a data set"));
    app.add_option("--data-dir", chosen.data_dir,
                   "Folder with the data set (default: FROSTLINE_DATA, then where Debian puts it)")
        ->type_name("DIR")
        ->transform(name("a folder"))
        ->default_str("");
    app.add_option("--policy", chosen.policy,
                   "Freezing policy, NAME or NAME:key=value,...; --list names them")
        ->type_name("POLICY")
        ->transform(name("a policy"));
    app.add_option("--decide-every", chosen.decide_every,
                   "Steps from one decision of the policy to the next; 0: one after each epoch")
        ->type_name("STEPS")
        ->transform(whole_number(0));
    app.add_option(
           "--scorer", chosen.scorer,
           "Scorer of the blocks, NAME or NAME:key=value,...; --list names them (default: the one that the "
           "policy is meant for, else weight_change)")
        ->type_name("SCORER")
        ->transform(name("a scorer"))
        ->default_str("");
    app.add_option(
           "--also-score", chosen.also_score,
           "Scorer whose scores go into the record, too, for frostline-replay; may be given again; all: "
           "those that policies are meant for")
        ->type_name("SCORER")
        ->transform(name("a scorer"))
        ->allow_extra_args(false);
    app.add_option("--epochs", chosen.epochs, "Passes over the training set")
        ->type_name("N")
        ->transform(whole_number(1, 1'000'000'000));
    app.add_option("--batch-size", chosen.batch_size, "Samples a step")
        ->type_name("N")
        ->transform(whole_number(1));
    app.add_option("--shards", chosen.shards,
                   "Fixed parts of the training set, of which each batch takes equal shares; the number of "
                   "processes divides it (default: one a process)")
        ->type_name("N")
        ->transform(whole_number(1))
        ->default_str("");
    app.add_flag("--sync-batch-norm", chosen.synchronise_batch_norm,
                 "Batch norm over the whole batch, not over the share of each process");
    app.add_option("--lr", chosen.learning_rate, "Learning rate at the schedule's peak")
        ->type_name("RATE")
        ->transform(number(0, most, not_negative));
    app.add_option("--schedule", chosen.schedule,
                   "Learning-rate schedule, NAME or NAME:key=value,...; --list names them")
        ->type_name("SCHEDULE")
        ->transform(name("a schedule"));
    app.add_option("--momentum", chosen.momentum, "Momentum of SGD")
        ->type_name("SHARE")
        ->transform(number(0, 1, share));
    app.add_flag("--nesterov", chosen.nesterov, "Nesterov's momentum");
    app.add_option("--weight-decay", chosen.weight_decay, "Weight decay, not on biases and batch norm")
        ->type_name("RATE")
        ->transform(number(0, most, not_negative));
    app.add_option("--label-smoothing", chosen.label_smoothing,
                   "Share of each target spread over all classes")
        ->type_name("SHARE")
        ->transform(number(0, 1, share));
    app.add_option("--seed", chosen.seed,
                   "Seed of all that is drawn: weights, batch order, split, augmentation")
        ->type_name("N")
        ->transform(whole_number(0));
    app.add_option("--threads", chosen.threads,
                   "Threads to compute on, at most 256 (default: one for each core that it may use)")
        ->type_name("N")
        ->transform(whole_number(1, 256))
        ->default_str("");
    app.add_option("--rate-decay", chosen.rate_decay,
                   "Discriminative learning rates: --lr is the head's, and each block before it learns at "
                   "this factor of the next one's")
        ->type_name("FACTOR")
        ->transform(number(0, 1, share));
    app.add_option("--weights", chosen.weights,
                   "Start from the weights in this file, safetensors with torchvision's names; a head of "
                   "another number of classes is drawn anew")
        ->type_name("FILE")
        ->transform(name("a file"))
        ->default_str("");
    app.add_flag("--replace-head", chosen.replace_head,
                 "With --weights: draw the head anew also where the file has one that fits");
    app.add_option("--classes", chosen.class_list,
                   "Train and test on the samples of these classes only, which are numbered from 0 then")
        ->type_name("0-4|0,2,5-9")
        ->transform(class_list())
        ->default_str("");
    app.add_option("--train-limit", chosen.train_limit, "Train on N samples only; 0: on all")
        ->type_name("N")
        ->transform(whole_number(0));
    app.add_option("--test-limit", chosen.test_limit, "Test on N samples only; 0: on all")
        ->type_name("N")
        ->transform(whole_number(0));
    app.add_option("--validation", chosen.validation_share,
                   "Share of the training set held out for validation")
        ->type_name("SHARE")
        ->transform(number(0, std::nextafter(1.0, 0.0), "a number of at least 0 and below 1"));
    app.add_option("--evaluate-every", chosen.evaluate_every,
                   "Epochs from one evaluation to the next; the last epoch is always evaluated")
        ->type_name("EPOCHS")
        ->transform(whole_number(1));
    app.add_flag("--augment", chosen.augment,
                 "Shift each training image at random by up to an eighth, and mirror half of them");
    app.add_option("--image-size", chosen.image_size, "Height and width of Imagenette's images")
        ->type_name("N")
        ->transform(whole_number(1, 4096))
        ->default_str("128");
    app.add_option("--views", chosen.views,
                   "With --augment: N fixed random views of each image, in turn, so that outputs come again "
                   "and blocks can be dropped; 0: another view in each epoch")
        ->type_name("N")
        ->transform(whole_number(0, 1'000'000'000));
    app.add_option("--store", chosen.store,
                   "Where the outputs of dropped blocks go; auto: memory first, then the disk where it pays")
        ->type_name("memory|disk[:DIR]|auto|none")
        ->transform(store_name());
    app.add_option("--store-budget", chosen.store_budget,
                   "The most the feature store may hold, as 4GiB or 500MB; with auto, in memory")
        ->transform(size())
        ->type_name("SIZE")
        ->default_str("4GiB");
    app.add_option("--store-encoding", chosen.store_encoding,
                   "How it writes numbers; bfloat16 and uint8 are smaller and lose digits")
        ->type_name("float32|bfloat16|uint8")
        ->transform(encoding_name());
    app.add_option("--plan-costs", chosen.plan_costs,
                   "Record with the times of blocks and store to decide by, in place of measuring them")
        ->type_name("FILE")
        ->transform(name("a file"))
        ->default_str("");
    app.add_option("--record", chosen.record, "File for the record of the run, JSON lines")
        ->type_name("FILE")
        ->transform(name("a file"))
        ->default_str("");
    app.add_option("--save", chosen.save,
                   "File for the weights after the last run, in safetensors with torchvision's names")
        ->type_name("FILE")
        ->transform(name("a file"))
        ->default_str("");
    auto* checkpoint = app.add_option(
        "--checkpoint", chosen.checkpoint,
        "Folder for checkpoints, from which --resume goes on; one is also written at the end, and "
        "when a signal ends the run");
    checkpoint->type_name("DIR")->transform(name("a folder"))->default_str("");
    app.add_option("--checkpoint-every", chosen.checkpoint_every, "How often a checkpoint is written")
        ->transform(checkpoint_interval())
        ->type_name("N[epochs|steps|minutes]")
        ->needs(checkpoint);
    app.add_option("--checkpoint-keep", chosen.checkpoint_keep, "The last N checkpoints stay")
        ->type_name("N")
        ->transform(whole_number(1))
        ->needs(checkpoint);
    app.add_flag(
        "--resume", chosen.resume,
        "Go on from the newest checkpoint in the folder of --checkpoint, and with the record; from the "
        "start where there is none");
    app.add_flag("--resume-older", chosen.resume_older,
                 "The same, passing over damaged checkpoints down to the newest that is whole");
    app.add_flag("--compare", chosen.compare,
                 "Train with policy never first, then with the policy: same weights, same batches");
    auto* summary = app.add_flag(
        "--summary", chosen.summary,
        "Do not train: print what each block of the model is and costs, to --record as JSON lines");
    app.add_flag(
           "--verify", chosen.verify,
           "Do not train: check the files of the data set against the sizes and checksums of those published")
        ->excludes(summary);
    app.add_flag("--quiet", chosen.quiet, "No progress and no table");
    app.add_flag_callback(
        "--list",
        [] {
            print_lists();
            throw CLI::Success();
        },
        "List models, data sets, policies, scorers and schedules");
    try {
        app.parse(arguments(argc, argv));
    } catch (const CLI::Success& answered) {
        app.exit(answered);
        return std::nullopt;
    } catch (const CLI::ParseError& failure) {
        throw frostline::argument_error(failure.what());
    }
    if (!chosen.class_list.empty()) chosen.classes = *classes_in(chosen.class_list);
    return chosen;
}
