// SPDX-License-Identifier: MIT

#include "epoch_seconds.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/data/named_dataset.hpp"
#include "frostline_train/settings.hpp"
#include "training_process.hpp"
#include "validators.hpp"

#ifdef FROSTLINE_TRAIN_IMAGES
#include "frostline/data/imagenette.hpp"
#endif

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace {

using frostline::dataset_part;

// What is no number is refused by frostline-train.
double number(const train_options& options, const char* name, double otherwise) {
    double value = otherwise;
    const auto digits = option_text(options, name, "");
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

// All samples of a part of a set that has `all` of them in `classes` classes, or those that are wanted.
double wanted_samples(const train_options& options, dataset_part part, double all, double classes) {
    const auto chosen = classes_in(option_text(options, "classes", ""));
    if (chosen && !chosen->empty()) all *= static_cast<double>(chosen->size()) / classes;
    const double limit = number(options, part == dataset_part::train ? "train-limit" : "test-limit", 0);
    return limit > 0 ? std::min(limit, all) : all;
}

double samples_here(const train_options& options, dataset_part part) {
    const auto data = option_text(options, "data", settings{}.data),
               folder = option_text(options, "data-dir", "");
    const auto count = [&](const auto& whole) {
        return wanted_samples(options, part, static_cast<double>(whole.size()),
                              static_cast<double>(whole.classes()));
    };
#ifdef FROSTLINE_TRAIN_IMAGES
    if (data == "imagenette") return count(frostline::load_imagenette(folder, part, {.memory = 0}));
#endif
    return count(frostline::load_named(data, folder, part));
}

double published_samples(const train_options& options, dataset_part part) {
    const auto& set = frostline::find_named(option_text(options, "data", settings{}.data));
    constexpr double classes = 10;
    return wanted_samples(options, part,
                          static_cast<double>(set.samples[part == dataset_part::train ? 0 : 1]), classes);
}

}  // namespace

std::string option_text(const train_options& options, const char* name, const std::string& otherwise) {
    const auto found = options.find(name);
    return found == options.end() ? otherwise : found->second;
}

sample_counts samples_here(const workload& work) {
    const auto& options = work.methods.front().options;
    return {samples_here(options, dataset_part::train), samples_here(options, dataset_part::test)};
}

sample_counts published_samples(const workload& work) {
    const auto& options = work.methods.front().options;
    return {published_samples(options, dataset_part::train), published_samples(options, dataset_part::test)};
}

double held_out_share(const workload& work) { return number(work.methods.front().options, "validation", 0); }

seconds_of_epoch measured_epoch_seconds(const std::string& program, const workload& work,
                                        const std::filesystem::path& scratch) {
    auto few = cell_of(work, work.methods.front(), work.seeds.front(), /*epochs=*/1);
    const double validation = held_out_share(work);
    const auto [train_samples, test_samples] = samples_here(work);
    few.options.erase("validation");
    const double two_batches =
        2 * number(few.options, "batch-size", static_cast<double>(settings{}.batch_size));
    for (const char* limit : {"train-limit", "test-limit"})
        few.options[limit] = std::to_string(static_cast<std::size_t>(two_batches));
    const scratch_file removed{scratch};
    run_training(program, few, scratch);

    nlohmann::json start, epoch, other;
    std::ifstream file(scratch);
    for (std::string words; std::getline(file, words);) {
        auto line = nlohmann::json::parse(words, nullptr, /*allow_exceptions=*/false);
        if (line.is_object() && line.contains("event"))
            (line["event"] == "start" ? start : line["event"] == "epoch" ? epoch : other) = std::move(line);
    }
    const auto field = [&](const nlohmann::json& line, const char* name) -> double {
        frostline::require<frostline::data_error>(
            line.is_object() && line.contains(name) && line[name].is_number(), "the record of two steps of ",
            work.name, " has no number in the field ", name);
        return line[name];
    };
    const auto epochs = static_cast<double>(work.epochs);
    const double evaluations = std::ceil(
        epochs / number(few.options, "evaluate-every", static_cast<double>(settings{}.evaluate_every)));
    return {.training =
                field(epoch, "seconds") / field(start, "training_samples") * (1 - validation) * train_samples,
            .evaluation = evaluations / epochs * field(epoch, "evaluation_seconds") /
                          std::min(two_batches, test_samples) * (test_samples + validation * train_samples)};
}
