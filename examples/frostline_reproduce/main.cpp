// SPDX-License-Identifier: MIT
// frostline-reproduce: trains a matrix of models, data sets, policies and seeds by frostline-train, and makes
// tables of the results. Cells that are finished are not run again.

#include "program.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/report/units.hpp"
#include "frostline/version.hpp"
#include "matrix.hpp"
#include "tables.hpp"

#include <CLI/CLI.hpp>

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace {

/// A cell was interrupted: so is the matrix.
struct interrupted {};

std::atomic<bool> signalled = false;
std::atomic<pid_t> running = 0;

// A terminal sends SIGINT to the cell that runs, too; SIGTERM has to be passed on.
void watch_signals() {
    struct sigaction action {};
    action.sa_handler = [](int number) {
        signalled = true;
        if (number == SIGTERM && running > 0) ::kill(running, SIGTERM);
    };
    for (const int number : {SIGINT, SIGTERM}) {
        struct sigaction before {};
        ::sigaction(number, nullptr, &before);
        if (before.sa_handler != SIG_IGN) ::sigaction(number, &action, nullptr);  // as nohup wants it
    }
}

// Runs what is not finished, and keeps what each record came from, so that a changed matrix runs anew.
class runner {
public:
    runner(matrix wanted, std::filesystem::path folder, std::string program)
        : wanted_(std::move(wanted)), folder_(std::move(folder)), program_(std::move(program)) {
        std::ifstream file(folder_ / "commands.json");
        if (!file.is_open()) return;
        commands_ = nlohmann::ordered_json::parse(file, nullptr, /*allow_exceptions=*/false);
        frostline::require<frostline::data_error>(commands_.is_object(), "the file ",
                                                  (folder_ / "commands.json").string(), " is no JSON object");
    }

    void run_all() {
        for (const auto& work : wanted_.workloads)
            for (const auto seed : work.seeds)
                for (const auto& how : wanted_.methods)
                    plan(cell_of(work, how, seed, work.epochs), work.name);
        run_planned();
        for (const auto& [work, what] : cells_of_less_training()) plan(what, work);
        run_planned();
    }

    void read_all() {
        for (const auto& work : wanted_.workloads)
            for (const auto seed : work.seeds)
                for (const auto& how : wanted_.methods) read(cell_of(work, how, seed, work.epochs));
        for (const auto& [work, what] : cells_of_less_training()) read(what);
    }

    const results& finished() const { return finished_; }

private:
    struct planned_cell {
        cell what;
        std::string workload;
    };

    std::vector<std::pair<std::string, cell>> cells_of_less_training() const {
        std::vector<std::pair<std::string, cell>> cells;
        if (!wanted_.train_less) return cells;
        for (const auto& work : wanted_.workloads)
            for (const auto seed : work.seeds)
                for (const auto& how : wanted_.methods) {
                    const auto found = finished_.find(cell_of(work, how, seed, work.epochs).record);
                    if (found == finished_.end()) continue;
                    for (const auto epochs : epochs_around(found->second, work.epochs))
                        cells.emplace_back(work.name, cell_of(work, wanted_.methods.front(), seed, epochs));
                }
        return cells;
    }

    bool read(const cell& what) {
        if (commands_.value(what.record, "") != command_of(what)) return false;
        const auto result = read_result(folder_ / what.record, wanted_.accuracy);
        if (result) finished_[what.record] = *result;
        return result.has_value();
    }

    void plan(const cell& what, const std::string& work) {
        const bool known = std::any_of(planned_.begin(), planned_.end(), [&](const planned_cell& other) {
            return other.what.record == what.record;
        });
        if (!known && !read(what)) planned_.push_back({what, work});
    }

    void run_planned() {
        for (std::size_t i = 0; i < planned_.size(); ++i) {
            const auto& [what, work] = planned_[i];
            std::cout << '[' << i + 1 << " of " << planned_.size() << "] " << what.record << std::flush;
            const auto start = std::chrono::steady_clock::now();
            train(what);
            const double seconds =
                std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            const auto result = read_result(folder_ / what.record, wanted_.accuracy);
            frostline::require<frostline::data_error>(result.has_value(), "the record ",
                                                      (folder_ / what.record).string(),
                                                      " does not hold a whole run");
            finished_[what.record] = *result;
            commands_[what.record] = command_of(what);
            keep_commands();
            auto& [epochs, spent] = pace_[work];
            epochs += static_cast<double>(what.epochs);
            spent += seconds;
            std::cout << ": " << frostline::format_percent(result->accuracy) << ", "
                      << frostline::format_duration(seconds) << "; about "
                      << frostline::format_duration(seconds_left(i + 1)) << " left" << std::endl;
        }
        planned_.clear();
    }

    // By the pace of the same workload's cells; by that of all where there are none yet.
    double seconds_left(std::size_t first) const {
        double all_epochs = 0, all_seconds = 0, left = 0;
        for (const auto& [name, pace] : pace_) {
            all_epochs += pace.first;
            all_seconds += pace.second;
        }
        for (std::size_t i = first; i < planned_.size(); ++i) {
            const auto found = pace_.find(planned_[i].workload);
            const double pace =
                found == pace_.end() ? all_seconds / all_epochs : found->second.second / found->second.first;
            left += pace * static_cast<double>(planned_[i].what.epochs);
        }
        return left;
    }

    void train(const cell& what) const {
        const auto record = folder_ / what.record;
        std::filesystem::create_directories(record.parent_path());
        std::vector<std::string> words{program_, "--quiet", "--record", record.string()};
        for (const auto& [key, value] : what.options) {
            words.push_back("--" + key);
            if (!value.empty()) words.push_back(value);
        }
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        pid_t child = 0;
        const int problem =
            ::posix_spawnp(&child, program_.c_str(), nullptr, nullptr, arguments.data(), environ);
        frostline::require<frostline::data_error>(problem == 0, "cannot run ", program_, ": ",
                                                  std::generic_category().message(problem));
        running = child;
        int status = 0;
        while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        running = 0;
        if (signalled || WIFSIGNALED(status) || WEXITSTATUS(status) == program::ended_by_signal)
            throw interrupted{};
        frostline::require<frostline::error>(WEXITSTATUS(status) == 0,
                                             "this cell failed: ", command_of(what));
    }

    void keep_commands() const {
        const auto path = folder_ / "commands.json", fresh = folder_ / "commands.json.new";
        std::ofstream file(fresh);
        file << commands_.dump(1) << '\n' << std::flush;
        frostline::require<frostline::data_error>(file.good(), "cannot write ", fresh.string());
        std::filesystem::rename(fresh, path);
    }

    matrix wanted_;
    std::filesystem::path folder_;
    std::string program_;
    nlohmann::ordered_json commands_ = nlohmann::ordered_json::object();
    results finished_;
    std::vector<planned_cell> planned_;
    std::map<std::string, std::pair<double, double>> pace_;  // epochs and seconds, by workload
};

}  // namespace

int main(int argc, char** argv) {
    std::string matrix_file, folder,
        train = (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "frostline-train").string();
    bool tables_only = false;
    CLI::App app{"Trains a matrix of models, data sets, policies and seeds, and makes tables of the results.",
                 "frostline-reproduce"};
    app.set_version_flag("--version", "frostline-reproduce " + std::string(frostline::version_string));
    app.add_option("MATRIX", matrix_file, "JSON file that says what to train")->required();
    app.add_option("FOLDER", folder, "Where records and tables go; cells that are finished there stay")
        ->required();
    app.add_option("--train", train, "frostline-train to run, beside this program by default");
    app.add_flag("--tables-only", tables_only, "Run nothing: tables of the cells that are finished");
    try {
        return program::main(app, argc, argv, [&] {
            const auto wanted = read_matrix(matrix_file);
            watch_signals();
            std::filesystem::create_directories(folder);
            runner cells(wanted, folder, train);
            if (tables_only)
                cells.read_all();
            else
                cells.run_all();
            write_tables(wanted, cells.finished(), folder);
            std::cout << "tables: " << (std::filesystem::path(folder) / "table.md").string() << '\n';
        });
    } catch (const interrupted&) {
        return program::fail(app.get_name(), "interrupted; the same command goes on from here",
                             program::ended_by_signal);
    }
}
