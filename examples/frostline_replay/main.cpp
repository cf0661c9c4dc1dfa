// SPDX-License-Identifier: MIT
// frostline-replay: runs freezing policies on a recorded run, without training, and shows side by side what
// each would have frozen and when.

#include "program.hpp"
#include "validators.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/freeze/named_policy.hpp"
#include "frostline/report/recorded_run.hpp"
#include "frostline/report/replay.hpp"
#include "frostline/report/text_table.hpp"
#include "frostline/report/units.hpp"
#include "frostline/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

// Leading blocks, and the others by number.
std::string text_of(const frostline::frozen_blocks& frozen) {
    std::string text = std::to_string(frozen.leading());
    for (const std::size_t block : frozen.behind()) text += " +" + std::to_string(block);
    return text;
}

void print(const frostline::recorded_run& run, const std::vector<std::string>& names,
           std::optional<std::size_t> store_budget) {
    const auto basis = frostline::replay_basis(run, store_budget);
    std::vector<frostline::replay_result> results;
    std::vector<std::string> head{""}, notes;
    for (const auto& name : names) {
        const auto policy = frostline::named_policy(name);
        head.push_back(name);
        if (!policy.scorer.empty() && !run.has_scores_of(policy.scorer)) {
            head.back() += " by " + run.scorer;
            notes.push_back(name + " is meant for the scorer " + policy.scorer +
                            ", of which the record has no scores: frostline-train --also-score records them");
        }
        results.push_back(frostline::replay(run, policy, basis));
    }

    std::cout << "Run with " << (run.policy.empty() ? "an unnamed policy" : run.policy) << ", scored by "
              << run.scorer << ": " << run.epochs << " epochs of " << run.steps_per_epoch << " steps, "
              << run.learning_blocks.size() << " learning blocks of " << run.blocks() << ".\n"
              << "Frozen learning blocks (and dropped blocks of the network), where they change:\n";
    frostline::text_table table;
    table.row(head);
    std::map<std::size_t, std::pair<std::size_t, std::vector<std::string>>> rows;  // by step
    for (std::size_t column = 0; column < results.size(); ++column)
        for (const auto& move : results[column].moves) {
            auto& [epoch, cells] = rows[move.step];
            epoch = move.epoch;
            cells.resize(names.size());
            cells[column] = text_of(move.frozen) + " (" + std::to_string(move.dropped) + ")";
        }
    for (auto& [step, row] : rows) {
        std::vector<std::string> cells{"  epoch " + std::to_string(row.first) + ", step " +
                                       std::to_string(step)};
        cells.insert(cells.end(), row.second.begin(), row.second.end());
        table.row(std::move(cells));
    }
    const auto saved = [&](const char* what, const auto& share) {
        std::vector<std::string> cells{what};
        for (const auto& result : results) cells.push_back(frostline::format_percent(share(result)));
        table.row(std::move(cells));
    };
    saved("forward FLOPs saved", [](const auto& result) { return result.forward_flops_saved(); });
    saved("forward + backward saved", [](const auto& result) { return result.training_flops_saved(); });
    std::cout << table;
    if (run.finished_epochs < run.epochs)
        std::cout << "The run ended after " << run.finished_epochs << " of its epochs.\n";
    if (!run.plan)
        std::cout << "What is dropped when is planned with assumed speeds: the record has no line of event "
                     "costs.\n";
    if (run.policy != "never") std::cout << "Blocks that were frozen in the recorded run have no scores.\n";
    for (const auto& note : notes) std::cout << note << ".\n";
}

}  // namespace

int main(int argc, char** argv) {
    std::string record;
    std::vector<std::string> policies;
    std::optional<std::size_t> store_budget;
    CLI::App app{"Runs freezing policies on a recorded run, without training.", "frostline-replay"};
    app.set_version_flag("--version", "frostline-replay " + std::string(frostline::version_string));
    app.add_option("RECORD", record,
                   "Record of frostline-train; of its runs the first with policy never, else the first")
        ->required();
    app.add_option("--policy", policies, "Freezing policy, NAME or NAME:key=value,...; may be given again")
        ->type_name("POLICY")
        ->required()
        ->allow_extra_args(false);
    app.add_option(
           "--store-budget", store_budget,
           "The most the feature store may hold, in memory, as 4GiB or 500MB (default: as the record says)")
        ->type_name("SIZE")
        ->transform(size());
    return program::main(app, argc, argv, [&] {
        const auto runs = frostline::record_reader(record).read();
        const auto never =
            std::find_if(runs.begin(), runs.end(), [](const auto& run) { return run.policy == "never"; });
        print(never == runs.end() ? runs.front() : *never, policies, store_budget);
    });
}
