// SPDX-License-Identifier: MIT

#include "settings.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/data/named_dataset.hpp"
#include "frostline/freeze/named_policy.hpp"
#include "frostline/models/named_model.hpp"
#include "frostline/optim/schedules.hpp"
#include "frostline/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

void explain(std::string_view key, auto value, std::string_view meaning) {
    std::string text = frostline::sentence("    ", key, '=', value);
    text.resize(std::max<std::size_t>(26, text.size() + 2), ' ');
    std::cout << text << meaning << '\n';
}

void print_scorers() {
    std::cout << "scorers, NAME or NAME:key=value,..., with their defaults:\n"
                 "  weight_change: how far the weights moved since the last decision\n";
    explain("measure", "relative_l2", "or mean_l1, raw_l1");
    explain("per_learning_rate", "yes", "or no: divided by the learning rate summed since then");
    std::cout << "  weight_cosine: how far the direction of the weights turned\n";
    explain("since", "last_decision", "or start");
    std::cout << "  path_ratio: how straight the weights moved, from 1 to 0\n";
    explain("every", 8, "steps between two whose length is measured");
    std::cout << "  effective_perturbation: APF, whether changes add up or cancel\n";
    explain("smoothing", 0.99, "of the averages");
    std::cout << "  gradient_norm: length of the mean gradient\n"
                 "  gradient_change: AutoFreeze, relative change of the size of the summed gradient\n"
                 "  gradient_delta: GradES, difference of the last two gradients\n"
                 "  sensitivity_uncertainty: AFLoRA\n";
    explain("sensitivity_smoothing", 0.85, "of the gradient's size");
    explain("uncertainty_smoothing", 0.95, "of its deviation from that");
    std::cout << "  activation_change: relative change of the outputs on a probe batch\n"
                 "  similarity_preserving_loss: Egeria, change of which samples look alike\n"
                 "  linear_cka: 1 - CKA of the outputs\n"
                 "  svcca: 1 - mean canonical correlation of the outputs, and\n";
    explain("variance", 0.99, "share that the compared directions hold");
    std::cout << "  all of the last four:\n";
    explain("samples", 64, "of the training set in the probe batch");
    explain("reference", "earlier", "or initial: what the outputs are compared with");
    explain("decisions", 1, "how long ago, where earlier");
}

void print_lists() {
    std::cout << "models:\n";
    for (const auto& model : frostline::named_models) std::cout << "  " << model << '\n';
    std::cout << "  all ResNets:\n";
    explain("stem", "cifar", "up to 64x64, else imagenet: which first block");
    std::cout << "data sets:\n";
    for (const auto& set : frostline::named_datasets) {
#ifndef FROSTLINE_TRAIN_IMAGES
        if (set.name == "imagenette") continue;
#endif
        std::cout << "  " << set.name << '\n';
    }

    const auto explain_option = [](std::string_view key, const auto& value, double, double,
                                   std::string_view meaning) { explain(key, value, meaning); };
    std::cout << "policies, NAME or NAME:key=value,..., with their defaults:\n";
    frostline::for_each_named_policy(
        [&](std::string_view policy_name, auto policy, std::string_view meaning) {
            std::cout << "  " << policy_name << ": " << meaning << '\n';
            frostline::for_each_option(policy, explain_option);
        });
    std::cout << "  all of them but never:\n";
    frostline::thaw_options thaw;
    frostline::for_each_option(thaw, explain_option);

    print_scorers();

    const frostline::cosine cosine;
    const frostline::step_decay step;
    const frostline::one_cycle cycle;
    std::cout << "schedules, NAME or NAME:key=value,..., with their defaults:\n"
                 "  constant: the rate of --lr\n"
                 "  cosine: from the rate down half a cosine\n";
    explain("final", cosine.final_rate, "the rate at the end");
    std::cout << "  step: down at intervals\n";
    explain("every", step.every, "epochs between two steps down");
    explain("factor", step.factor, "by which each step multiplies the rate");
    std::cout << "  one_cycle: up to the rate and down again\n";
    explain("rising", cycle.rising, "share of the run in which the rate rises");
    explain("start_divisor", cycle.start_divisor, "the first rate is the highest divided by this");
    explain("final_divisor", cycle.final_divisor, "the last rate is the first divided by this");
    std::cout << "  all of them:\n";
    explain("warm_up", 0, "epochs, not a share, in which the rate rises from nothing");
    explain("per_epoch", 0, "1 holds the rate during each epoch");
}

std::string expected(const std::string& what, const std::string& found) {
    return "expected " + what + ", found \"" + found + '"';
}

// The following read the text before CLI11 does, which would take "-1" for a huge number and "010" for 8.

CLI::Validator whole_number(std::uint64_t lowest,
                            std::uint64_t highest = std::numeric_limits<std::uint64_t>::max()) {
    return {[=](std::string& text) -> std::string {
                std::uint64_t number = 0;
                const char* end = text.data() + text.size();
                const auto [rest, problem] = std::from_chars(text.data(), end, number);
                const bool is_whole = rest == end && problem != std::errc::invalid_argument;
                if (is_whole && (problem == std::errc::result_out_of_range || number > highest))
                    return expected("a whole number of at most " + std::to_string(highest), text);
                if (!is_whole || number < lowest)
                    return expected("a whole number of at least " + std::to_string(lowest), text);
                text = std::to_string(number);
                return {};
            },
            ""};
}

// `range` says the same in words.
CLI::Validator number(double lowest, double highest, const char* range) {
    return {[=](std::string& text) -> std::string {
                double value = 0;
                const char* end = text.data() + text.size();
                const auto [rest, problem] = std::from_chars(text.data(), end, value);
                const bool is_number = rest == end && problem == std::errc();
                if (is_number && value >= lowest && value <= highest) return {};
                return expected(range, text);
            },
            ""};
}

// Rewritten as bytes.
CLI::Validator size() {
    return {[](std::string& text) -> std::string {
                constexpr std::array<std::pair<std::string_view, std::uint64_t>, 10> units = {{
                    {"", 1},
                    {"B", 1},
                    {"kB", 1'000},
                    {"KB", 1'000},
                    {"MB", 1'000'000},
                    {"GB", 1'000'000'000},
                    {"KiB", std::uint64_t{1} << 10},
                    {"MiB", std::uint64_t{1} << 20},
                    {"GiB", std::uint64_t{1} << 30},
                    {"TiB", std::uint64_t{1} << 40},
                }};
                std::uint64_t count = 0;
                const char* end = text.data() + text.size();
                const auto [rest, problem] = std::from_chars(text.data(), end, count);
                const std::string_view name(rest, static_cast<std::size_t>(end - rest));
                const auto unit = std::find_if(units.begin(), units.end(),
                                               [&](const auto& each) { return each.first == name; });
                if (problem != std::errc() || unit == units.end() ||
                    count > std::numeric_limits<std::uint64_t>::max() / unit->second)
                    return expected("a whole number with a unit, as 4GiB or 500MB", text);
                text = std::to_string(count * unit->second);
                return {};
            },
            ""};
}

// A number without a unit counts epochs.
CLI::Validator interval() {
    return {[](std::string& text) -> std::string {
                std::uint64_t count = 0;
                const char* end = text.data() + text.size();
                const auto [rest, problem] = std::from_chars(text.data(), end, count);
                const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
                const bool known = unit.empty() || unit == "epochs" || unit == "steps" || unit == "minutes";
                if (problem != std::errc() || count == 0 || !known)
                    return expected(
                        "a whole number of at least 1 with a unit, as 2epochs, 500steps or 10minutes", text);
                if (unit.empty()) text += "epochs";
                return {};
            },
            ""};
}

// "0-4" or "0,2,5-9". @return nothing where it is neither
std::optional<std::vector<std::size_t>> classes_in(std::string_view text) {
    constexpr std::size_t most = 100'000;
    std::vector<std::size_t> classes;
    const char *at = text.data(), *const end = at + text.size();
    const auto read = [&](std::size_t& number) {
        const auto [rest, problem] = std::from_chars(at, end, number);
        if (problem != std::errc() || number > most) return false;
        at = rest;
        return true;
    };
    while (true) {
        std::size_t first = 0;
        if (!read(first)) return std::nullopt;
        std::size_t last = first;
        if (at != end && *at == '-' && (++at, !read(last) || last < first)) return std::nullopt;
        for (std::size_t label = first; label <= last; ++label) classes.push_back(label);
        if (at == end) return classes;
        if (*at++ != ',') return std::nullopt;
    }
}

CLI::Validator class_list() {
    return {[](std::string& text) -> std::string {
                return classes_in(text) ? std::string()
                                        : expected("numbers of classes, as 0-4 or 0,2,5-9", text);
            },
            ""};
}

// An option where a name should be means that the name was forgotten.
CLI::Validator name(const char* what) {
    return {[=](std::string& text) -> std::string {
                return text.empty() || text.front() == '-' ? expected(what, text) : std::string();
            },
            ""};
}

CLI::Validator store_name() {
    return {[](std::string& text) -> std::string {
                const bool known = text == "memory" || text == "disk" || text == "auto" || text == "none" ||
                                   (text.starts_with("disk:") && text.size() > 5);
                return known ? std::string() : expected("memory, disk, disk:DIR, auto or none", text);
            },
            ""};
}

CLI::Validator encoding_name() {
    return {[](std::string& text) -> std::string {
                const bool known = text == "float32" || text == "bfloat16" || text == "uint8";
                return known ? std::string() : expected("float32, bfloat16 or uint8", text);
            },
            ""};
}

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
    app.add_option("--seed", chosen.seed, "Seed of weights, batch order and split")
        ->type_name("N")
        ->transform(whole_number(0));
    app.add_option("--threads", chosen.threads, "Threads to compute on, at most 256 (default: one a core)")
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
        ->transform(number(0, 1, share));
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
    app.add_option("--checkpoint", chosen.checkpoint,
                   "Folder for checkpoints, from which --resume goes on; one is also written at the end, and "
                   "when a signal ends the run")
        ->type_name("DIR")
        ->transform(name("a folder"))
        ->default_str("");
    app.add_option("--checkpoint-every", chosen.checkpoint_every, "How often a checkpoint is written")
        ->transform(interval())
        ->type_name("N[epochs|steps|minutes]");
    app.add_option("--checkpoint-keep", chosen.checkpoint_keep, "The last N checkpoints stay")
        ->type_name("N")
        ->transform(whole_number(1));
    app.add_flag(
        "--resume", chosen.resume,
        "Go on from the newest checkpoint in the folder of --checkpoint, and with the record; from the "
        "start where there is none");
    app.add_flag("--resume-older", chosen.resume_older,
                 "The same, passing over damaged checkpoints down to the newest that is whole");
    app.add_flag("--compare", chosen.compare,
                 "Train with policy never first, then with the policy: same weights, same batches");
    app.add_flag("--summary", chosen.summary,
                 "Do not train: print what each block of the model is and costs, to --record as JSON lines");
    app.add_flag(
        "--verify", chosen.verify,
        "Do not train: check the files of the data set against the sizes and checksums of those published");
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
