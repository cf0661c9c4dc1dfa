// SPDX-License-Identifier: MIT

#include "run_line.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/data/named_dataset.hpp"
#include "frostline/train/require_same.hpp"
#include "frostline/train/run_identity.hpp"
#include "policy_options.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

frostline::record_line run_json(const settings& chosen, const std::string& policy) {
    return {{"event", "run"},
            {"policy", policy},
            // --compare trains `never`, too.
            {"policy_options", policy_options(policy == "never" ? policy : chosen.policy)},
            {"scorer", chosen.scorer},
            {"also_score", chosen.also_score},
            {"model", chosen.model},
            {"data", chosen.data},
            {"data_dir", chosen.data_dir},
            {"data_folder", frostline::folder_of(chosen.data, chosen.data_dir).string()},
            {"image_size", chosen.image_size.value_or(0)},
            {"decide_every", chosen.decide_every},
            {"epochs", chosen.epochs},
            {"batch_size", chosen.batch_size},
            {"shards", chosen.shards},
            {"sync_batch_norm", chosen.synchronise_batch_norm},
            {"learning_rate", chosen.learning_rate},
            {"rate_decay", chosen.rate_decay},
            {"schedule", chosen.schedule},
            {"momentum", chosen.momentum},
            {"nesterov", chosen.nesterov},
            {"weight_decay", chosen.weight_decay},
            {"label_smoothing", chosen.label_smoothing},
            {"seed", chosen.seed},
            {"weights", chosen.weights},
            {"replace_head", chosen.replace_head},
            {"classes", chosen.class_list},
            {"train_limit", chosen.train_limit},
            {"test_limit", chosen.test_limit},
            {"validation", chosen.validation_share},
            {"evaluate_every", chosen.evaluate_every},
            {"augment", chosen.augment},
            {"views", chosen.views},
            {"store", chosen.store},
            {"store_budget", chosen.store_budget},
            {"store_encoding", chosen.store_encoding},
            {"plan_costs", chosen.plan_costs}};
}

namespace {

// All that has to be the same where a run goes on, beside what the trainer compares; where things lie may
// change.
frostline::run_identity identity_of(const settings& chosen, const std::string& policy) {
    const auto run = run_json(chosen, policy);
    frostline::run_identity identity{{"option compare", chosen.compare ? "true" : "false"},
                                     {"presence of a record", chosen.record.empty() ? "false" : "true"}};
    constexpr std::array<std::string_view, 5> places{"event", "data_dir", "data_folder", "plan_costs",
                                                     "weights"};
    for (const auto& [key, value] : run.items())
        if (std::find(places.begin(), places.end(), key) == places.end())
            identity.emplace_back(
                "option " + key, value.dump(-1, ' ', true, frostline::record_line::error_handler_t::replace));
    return identity;
}

// What the command line was read to: a number, and a unit.
frostline::checkpoint_every interval_of(const std::string& text) {
    std::size_t count = 0;
    const auto [unit, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (*unit == 'e') return {.epochs = count};
    if (*unit == 's') return {.steps = count};
    return {.minutes = static_cast<double>(count)};
}

}  // namespace

void require_same_settings(const settings& chosen, process_group& processes) {
    const auto text = frostline::text_of(identity_of(chosen, chosen.policy));
    frostline::require_same(processes, std::as_bytes(std::span(text)), "the command lines");
}

frostline::checkpoints checkpoints_of(const settings& chosen, const std::string& policy) {
    if (chosen.checkpoint.empty()) return {};
    const std::filesystem::path folder = chosen.checkpoint;
    frostline::checkpoints found({.folder = chosen.compare ? folder / policy : folder,
                                  .every = interval_of(chosen.checkpoint_every),
                                  .keep = chosen.checkpoint_keep,
                                  .identity = identity_of(chosen, policy)});
    if (!chosen.resume && !chosen.resume_older) {
        const auto files = found.files();
        frostline::require<frostline::data_error>(
            files.empty(), files.empty() ? "" : files.back().string(),
            " is a checkpoint of an earlier run: --resume goes on from it, another --checkpoint leaves it "
            "alone");
        return found;
    }
    try {
        found.resume(chosen.resume_older);
    } catch (const frostline::data_error& problem) {
        if (chosen.resume_older || found.files().size() < 2) throw;
        throw frostline::data_error(frostline::sentence(
            problem.what(), "; --resume-older goes on from the newest checkpoint that is whole"));
    }
    return found;
}
