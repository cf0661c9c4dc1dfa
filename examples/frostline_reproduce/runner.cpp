// SPDX-License-Identifier: MIT

#include "runner.hpp"

#include "epoch_seconds.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/report/units.hpp"
#include "policy_options.hpp"
#include "training_process.hpp"
#include "write_file.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <set>

namespace {

// What freezing saves is not known before: half, here.
constexpr double share_left = 0.5;

}  // namespace

runner::runner(matrix wanted, std::filesystem::path folder, std::string program)
    : wanted_(std::move(wanted)), folder_(std::move(folder)), program_(std::move(program)) {
    if (std::ifstream file(folder_ / "commands.json"); file.is_open()) {
        commands_ = nlohmann::ordered_json::parse(file, nullptr, /*allow_exceptions=*/false);
        frostline::require<frostline::data_error>(commands_.is_object(), "the file ",
                                                  (folder_ / "commands.json").string(), " is no JSON object");
        for (const auto& [record, command] : commands_.items())
            frostline::require<frostline::data_error>(command.is_string(), "the file ",
                                                      (folder_ / "commands.json").string(),
                                                      " has no text for the record ", record);
    }
    for (const auto& [work, what] : cells()) read(what);
    for (const auto& [work, what] : cells_of_less_training()) read(what);
}

void runner::print_expected_time() {
    double all = 0, never = 0;
    bool none_left = true;
    std::size_t untimed = 0;
    for (const auto& work : wanted_.workloads) {
        double runs_of_never = 0, others = 0;
        for (const auto seed : work.seeds) {
            for (const auto& how : work.methods) {
                if (finished_.contains(cell_of(work, how, seed, work.epochs).record)) continue;
                if (how.options.at("policy") == "never")
                    runs_of_never += 1;
                else
                    others += share_left;
            }
            others += less_training_left(work, seed).epochs / static_cast<double>(work.epochs);
        }
        if (runs_of_never + others == 0) continue;
        none_left = false;
        double seconds = 0;
        try {
            const auto measured = measured_epoch_seconds(program_, work, folder_ / scratch_name);
            seconds = measured.training + measured.evaluation;
        } catch (const frostline::error& failure) {
            std::cout << work.name << ": cannot be timed; " << failure.what() << std::endl;
            ++untimed;
            continue;
        }
        pace_[work.name] = {1, seconds};
        const double run = seconds * static_cast<double>(work.epochs);
        never += run * runs_of_never;
        all += run * (runs_of_never + others);
        std::cout << work.name << ": " << frostline::format_duration(seconds) << " an epoch, "
                  << frostline::format_duration(run) << " a run without freezing" << std::endl;
    }
    if (none_left) std::cout << "expected: nothing, all cells are finished" << std::endl;
    if (untimed > 0)
        std::cout << untimed << (untimed == 1 ? " workload is" : " workloads are")
                  << " not timed, and not counted" << std::endl;
    if (all > 0)
        std::cout << "expected: about " << frostline::format_fixed(all / 3600, 2)
                  << " hours, if freezing halves a run; whole runs without freezing take "
                  << frostline::format_fixed(never / 3600, 2) << " of them" << std::endl;
}

std::string runner::others_finished() const {
    std::vector<std::string> others;
    for (const auto& [work, what] : cells())
        if (!finished_.contains(what.record) && read_result(folder_ / what.record, wanted_.accuracy))
            others.push_back(what.record);
    if (others.empty()) return {};
    return frostline::sentence("the folder ", folder_.string(), " holds ", others.size(),
                               others.size() == 1 ? " finished cell" : " finished cells",
                               " that other options of the matrix have trained, or of which commands.json "
                               "does not tell the options, "
                               "as ",
                               others.front());
}

void runner::run_all() {
    for (const auto& [work, what] : cells()) plan(what, work);
    run_planned();
    for (const auto& [work, what] : cells_of_less_training()) plan(what, work);
    run_planned();
}

std::vector<std::pair<std::string, cell>> runner::cells() const {
    std::vector<std::pair<std::string, cell>> all;
    for (const auto& work : wanted_.workloads)
        for (const auto seed : work.seeds)
            for (const auto& how : work.methods)
                all.emplace_back(work.name, cell_of(work, how, seed, work.epochs));
    return all;
}

std::vector<std::pair<std::string, cell>> runner::cells_of_less_training() const {
    std::vector<std::pair<std::string, cell>> cells;
    for (const auto& work : wanted_.workloads)
        for (const auto seed : work.seeds)
            for (const auto& how : work.methods) {
                const auto found = finished_.find(cell_of(work, how, seed, work.epochs).record);
                if (!how.train_less || found == finished_.end()) continue;
                for (const auto epochs : epochs_around(found->second, work.epochs))
                    cells.emplace_back(work.name, cell_of(work, work.methods.front(), seed, epochs));
            }
    return cells;
}

bool runner::read(const cell& what) {
    if (commands_.value(what.record, "") != command_of(what)) return false;
    const auto result = read_result(folder_ / what.record, wanted_.accuracy);
    if (!result) return false;
    // A policy's defaults may have been those of another version.
    if (!result->policy_options.empty() &&
        result->policy_options != policy_options(what.options.at("policy")).dump())
        return false;
    finished_[what.record] = *result;
    return true;
}

void runner::plan(const cell& what, const std::string& work) {
    if (!is_planned(what.record) && !finished_.contains(what.record) && !read(what))
        planned_.push_back({what, work});
}

void runner::run_planned() {
    for (std::size_t i = 0; i < planned_.size(); ++i) {
        const auto& [what, work] = planned_[i];
        std::size_t runs = started_ + planned_.size() - i;
        for (const auto& each : wanted_.workloads)
            for (const auto seed : each.seeds) runs += less_training_left(each, seed).runs;
        std::cout << '[' << ++started_ << " of " << runs << "] " << what.record << std::flush;
        const auto start = std::chrono::steady_clock::now();
        // The command is told first: where this program is killed, the run goes on and may finish.
        std::filesystem::remove(folder_ / what.record);
        commands_[what.record] = command_of(what);
        keep_commands();
        try {
            run_training(program_, what, folder_ / what.record);
        } catch (const interrupted&) {
            std::cout << std::endl;
            throw;
        } catch (const cell_failed& failure) {
            std::cout << ": failed" << std::endl;
            failures_.push_back(failure.what());
            failed_.insert(what.record);
            continue;
        }
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const auto result = read_result(folder_ / what.record, wanted_.accuracy);
        frostline::require<frostline::data_error>(result.has_value(), "the record ",
                                                  (folder_ / what.record).string(),
                                                  " does not hold a whole run");
        finished_[what.record] = *result;
        auto& [epochs, spent] = pace_[work];
        epochs += static_cast<double>(what.epochs);
        spent += seconds;
        std::cout << ": " << frostline::format_percent(result->accuracy) << ", "
                  << frostline::format_duration(seconds) << "; about "
                  << frostline::format_duration(seconds_left(i + 1)) << " left" << std::endl;
    }
    planned_.clear();
}

// By the pace of the same workload's cells; none where it could not be timed.
double runner::seconds_left(std::size_t first) const {
    double left = 0;
    const auto add = [&](const std::string& work, double epochs) {
        if (const auto found = pace_.find(work); found != pace_.end())
            left += found->second.second / found->second.first * epochs;
    };
    for (std::size_t i = first; i < planned_.size(); ++i)
        add(planned_[i].workload, static_cast<double>(planned_[i].what.epochs));
    for (const auto& work : wanted_.workloads)
        for (const auto seed : work.seeds) add(work.name, less_training_left(work, seed).epochs);
    return left;
}

runner::less_training runner::less_training_left(const workload& work, std::uint64_t seed) const {
    const auto is_left = [&](std::size_t epochs) {
        const auto record = cell_of(work, work.methods.front(), seed, epochs).record;
        return !finished_.contains(record) && !is_planned(record);
    };
    std::set<std::size_t> known;
    std::size_t unknown = 0;
    for (const auto& how : work.methods) {
        const auto record = cell_of(work, how, seed, work.epochs).record;
        if (!how.train_less || failed_.contains(record)) continue;
        const auto found = finished_.find(record);
        if (found != finished_.end())
            for (const auto epochs : epochs_around(found->second, work.epochs)) known.insert(epochs);
        else if (how.options.at("policy") != "never")
            unknown += 2;
    }
    less_training left;
    std::size_t others = 0;  // numbers of epochs that nothing is compared with yet
    for (std::size_t epochs = 1; unknown > others && epochs < work.epochs; ++epochs)
        others += !known.contains(epochs) && is_left(epochs) ? 1 : 0;
    left.runs = std::min(unknown, others);
    left.epochs = static_cast<double>(left.runs) * share_left * static_cast<double>(work.epochs);
    for (const auto epochs : known)
        if (is_left(epochs)) {
            left.runs += 1;
            left.epochs += static_cast<double>(epochs);
        }
    return left;
}

bool runner::is_planned(const std::string& record) const {
    return std::any_of(planned_.begin(), planned_.end(),
                       [&](const planned_cell& other) { return other.what.record == record; });
}

void runner::keep_commands() const { write_file(folder_ / "commands.json", commands_.dump(1) + '\n'); }
