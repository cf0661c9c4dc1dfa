// SPDX-License-Identifier: MIT

#include "process_group.hpp"
#include "run_data.hpp"
#include "run_line.hpp"
#include "session_parts.hpp"
#include "settings.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/freeze/discriminative.hpp"
#include "frostline/freeze/named_policy.hpp"
#include "frostline/freeze/named_scorer.hpp"
#include "frostline/freeze/policies/never.hpp"
#include "frostline/io/weights.hpp"
#include "frostline/models/named_model.hpp"
#include "frostline/optim/named_schedule.hpp"
#include "frostline/optim/sgd.hpp"
#include "frostline/report/network_summary_json.hpp"
#include "frostline/report/record.hpp"
#include "frostline/report/recorded_run.hpp"
#include "frostline/report/summary_table.hpp"

#include <algorithm>
#include <atomic>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

void summarise(const settings& chosen) {
    const auto samples = facts_of_samples(chosen);
    frostline::with_model<scalar>(chosen.model, samples.shape, samples.classes, [&](const auto& network) {
        const auto blocks = frostline::summary(network);
        if (!chosen.quiet) frostline::print_summary(std::cout, blocks);
        if (chosen.record.empty()) return;
        frostline::record lines(chosen.record, "", "");
        for (const auto& line : frostline::summary_lines(blocks)) lines.write(line);
    });
}

// What can be refused without the data is refused before they are loaded, which may take minutes.
void check_names(const settings& chosen) {
    frostline::require_named_model(chosen.model);
    frostline::named_schedule(chosen.schedule, chosen.learning_rate);
    frostline::sgd<scalar>({.momentum = chosen.momentum, .nesterov = chosen.nesterov});
}

// Those that are wanted beside the run's own; their names tell their options.
std::vector<frostline::any_scorer<scalar>> other_scorers(const settings& chosen) {
    std::vector<std::string> names;
    const auto add = [&](std::string_view name) {
        if (!name.empty() && name != chosen.scorer && std::ranges::count(names, name) == 0)
            names.emplace_back(name);
    };
    for (const auto& wanted : chosen.also_score) {
        if (wanted != "all") {
            add(wanted);
            continue;
        }
        frostline::for_each_named_policy(
            [&](std::string_view, const auto& policy, std::string_view) { add(scorer_of(policy)); });
    }
    std::vector<frostline::any_scorer<scalar>> scorers;
    for (const auto& name : names) scorers.emplace_back(name, frostline::named_scorer<scalar>(name));
    return scorers;
}

std::optional<frostline::plan_costs> costs_in(const std::string& record) {
    if (record.empty()) return std::nullopt;
    return frostline::record_reader(record).read_costs();
}

}  // namespace

bool train(const settings& wished, const std::atomic<bool>& interrupted, process_group& processes) {
    settings chosen = wished;
    const bool first = processes.rank() == 0;
    if (!first) chosen.quiet = true;
    if (chosen.shards == 0) chosen.shards = processes.size();
    std::vector<frostline::any_policy> policies{frostline::named_policy(chosen.policy)};
    if (chosen.compare) {
        frostline::require<frostline::argument_error>(
            policies.front().name() != "never",
            "--compare compares a policy with never: expected another --policy, found \"", chosen.policy,
            '"');
        policies.insert(policies.begin(), frostline::any_policy("never", frostline::never{}));
    }
    if (chosen.scorer.empty())
        chosen.scorer = policies.back().scorer.empty() ? "weight_change" : policies.back().scorer;
    auto scorer = frostline::named_scorer<scalar>(chosen.scorer);
    auto others = other_scorers(chosen);
    frostline::require<frostline::argument_error>(
        others.empty() || !chosen.record.empty(),
        "--also-score records scores, but --record does not tell in which file");
    if (chosen.rate_decay != 1)
        for (auto& policy : policies)
            policy =
                frostline::any_policy(policy.name(), frostline::discriminative(policy, chosen.rate_decay));
    frostline::require<frostline::argument_error>(
        !chosen.weights.empty() || !chosen.replace_head,
        "--replace-head draws the head of given weights anew, but --weights does not tell which");
    frostline::require<frostline::argument_error>(
        !chosen.checkpoint.empty() || (!chosen.resume && !chosen.resume_older),
        "--resume goes on from a checkpoint, but --checkpoint does not tell in which folder");
    if (first && !chosen.record.empty()) frostline::record::check(chosen.record);
    if (first && !chosen.save.empty()) frostline::check_replaceable(chosen.save);
    check_names(chosen);
    check_data(chosen);
    if (chosen.summary) {
        if (first) summarise(chosen);
        return false;
    }
    require_same_settings(chosen, processes);
    if (chosen.threads > 0)
        frostline::set_threads(chosen.threads);
    else if (processes.size() > 1)
        frostline::set_threads(usual_threads(processes));
    const session_parts parts{chosen,
                              interrupted,
                              processes,
                              std::move(scorer),
                              std::move(others),
                              load_data(chosen),
                              costs_in(chosen.plan_costs),
                              std::move(policies)};
    const auto& samples = parts.data.train;
    bool cut_short = false;
    frostline::with_model<scalar>(chosen.model, samples.shape(), samples.classes(),
                                  [&](auto network) { cut_short = run_session(std::move(network), parts); });
    return cut_short;
}
