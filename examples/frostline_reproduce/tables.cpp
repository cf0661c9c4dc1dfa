// SPDX-License-Identifier: MIT

#include "tables.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/report/units.hpp"
#include "statistics.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <optional>
#include <set>
#include <sstream>

namespace {

using frostline::format_fixed;
using frostline::format_percent;

// One line of a table: a method, or `never` in fewer epochs.
struct row {
    std::string name;
    std::vector<double> accuracies, differences, against_less;  // in points, by seed
    double forward_saved = 0, training_saved = 0, time_ratio = 0;
    std::string command;
    bool on_front = false;

    double accuracy() const { return interval_of(accuracies).mean; }
};

std::string text_of(const interval& values, bool sign) {
    std::string text = sign && values.mean >= 0 ? "+" : "";
    text += format_fixed(values.mean, 2);
    if (std::isfinite(values.half_width)) text += " ± " + format_fixed(values.half_width, 2);
    return text;
}

std::string markdown(const std::vector<row>& rows) {
    std::ostringstream out;
    out << "| method | accuracy, % | against never, points | against never with as many FLOPs, points | "
           "forward "
           "FLOPs saved | training FLOPs saved | times faster | on the front |\n"
           "|---|---|---|---|---|---|---|---|\n";
    for (const auto& line : rows) {
        out << "| " << line.name << " | " << text_of(interval_of(line.accuracies), false) << " | "
            << text_of(interval_of(line.differences), true) << " | "
            << (line.against_less.empty() ? "" : text_of(interval_of(line.against_less), true)) << " | "
            << format_percent(line.forward_saved) << " | " << format_percent(line.training_saved) << " | "
            << format_fixed(line.time_ratio, 2) << " | " << (line.on_front ? "yes" : "") << " |\n";
    }
    return out.str();
}

class workload_table {
public:
    workload_table(const matrix& wanted, const workload& work, const results& finished)
        : wanted_(wanted), work_(work), finished_(finished) {}

    std::vector<row> rows() const {
        std::vector<row> found;
        for (const auto& how : wanted_.methods) add(found, how.name, how, work_.epochs);
        std::set<std::size_t, std::greater<>> fewer;
        if (wanted_.train_less)
            for (const auto& how : wanted_.methods)
                for (const auto seed : work_.seeds)
                    if (const auto result = result_of(how, seed, work_.epochs))
                        for (const auto epochs : epochs_around(*result, work_.epochs)) fewer.insert(epochs);
        for (const auto epochs : fewer)
            add(found, frostline::sentence("never, ", epochs, " epochs"), never(), epochs);
        for (auto& line : found)
            line.on_front = std::none_of(found.begin(), found.end(), [&](const row& other) {
                return other.accuracy() >= line.accuracy() && other.training_saved >= line.training_saved &&
                       (other.accuracy() > line.accuracy() || other.training_saved > line.training_saved);
            });
        return found;
    }

private:
    const method& never() const { return wanted_.methods.front(); }

    std::optional<cell_result> result_of(const method& how, std::uint64_t seed, std::size_t epochs) const {
        const auto found = finished_.find(cell_of(work_, how, seed, epochs).record);
        return found == finished_.end() ? std::nullopt : std::optional(found->second);
    }

    // What `never` reaches for the training FLOPs of a result: on the line between the two numbers of epochs
    // around them.
    std::optional<double> never_at_flops_of(const cell_result& result, std::uint64_t seed) const {
        std::vector<cell_result> ends;
        for (const auto epochs : epochs_around(result, work_.epochs))
            if (const auto less = result_of(never(), seed, epochs)) ends.push_back(*less);
        if (ends.size() == 1)
            if (const auto whole = result_of(never(), seed, work_.epochs)) ends.push_back(*whole);
        if (ends.size() != 2) return std::nullopt;
        const double way = (result.training_flops - ends[0].training_flops) /
                           (ends[1].training_flops - ends[0].training_flops);
        return ends[0].accuracy + way * (ends[1].accuracy - ends[0].accuracy);
    }

    // A line over the seeds that have been run, if there are any.
    void add(std::vector<row>& rows, const std::string& name, const method& how, std::size_t epochs) const {
        row line;
        line.name = name;
        line.command = command_of(cell_of(work_, how, work_.seeds.front(), epochs));
        double forward = 0, training = 0, forward_full = 0, training_full = 0;
        std::vector<double> ratios;
        for (const auto seed : work_.seeds) {
            const auto whole = result_of(never(), seed, work_.epochs), result = result_of(how, seed, epochs);
            if (!whole || !result) continue;
            line.accuracies.push_back(100 * result->accuracy);
            line.differences.push_back(100 * (result->accuracy - whole->accuracy));
            if (wanted_.train_less)
                if (const auto less = never_at_flops_of(*result, seed))
                    line.against_less.push_back(100 * (result->accuracy - *less));
            forward += result->forward_flops;
            training += result->training_flops;
            forward_full += whole->forward_flops;
            training_full += whole->training_flops;
            ratios.push_back(whole->seconds / result->seconds);
        }
        if (ratios.empty()) return;
        line.forward_saved = 1 - forward / forward_full;
        line.training_saved = 1 - training / training_full;
        std::sort(ratios.begin(), ratios.end());
        line.time_ratio = (ratios[(ratios.size() - 1) / 2] + ratios[ratios.size() / 2]) / 2;
        if (line.against_less.size() != ratios.size()) line.against_less.clear();
        rows.push_back(std::move(line));
    }

    const matrix& wanted_;
    const workload& work_;
    const results& finished_;
};

std::string quoted(const std::string& text) {
    std::string field = "\"";
    for (const char letter : text) field += letter == '"' ? "\"\"" : std::string(1, letter);
    return field + '"';
}

void write(const std::filesystem::path& path, const std::string& text) {
    std::ofstream file(path);
    file << text << std::flush;
    frostline::require<frostline::data_error>(file.good(), "cannot write ", path.string());
}

}  // namespace

std::vector<std::size_t> epochs_around(const cell_result& result, std::size_t epochs) {
    const double wanted = result.training_flops / result.training_flops_full * static_cast<double>(epochs);
    const auto lower = static_cast<std::size_t>(wanted);
    if (lower < 1 || lower >= epochs) return {};
    if (lower + 1 == epochs) return {lower};
    return {lower, lower + 1};
}

void write_tables(const matrix& wanted, const results& finished, const std::filesystem::path& folder) {
    std::ostringstream tables, cells;
    tables << "# " << wanted.name << "\n\n"
           << "Means over seeds with 95% intervals (Student's t); differences are paired by seed. `never "
              "with as "
              "many FLOPs` trains in full for fewer epochs, its schedule compressed: interpolated between "
              "the two "
              "whole numbers of epochs around the method's training FLOPs. The front is that of accuracy "
              "against "
              "training FLOPs. Times are medians.\n";
    cells
        << "workload,method,seed,epochs," << wanted.accuracy
        << ",seconds,forward_flops,training_flops,forward_flops_saved,training_flops_saved,record,command\n";
    for (const auto& work : wanted.workloads) {
        const auto rows = workload_table(wanted, work, finished).rows();
        if (rows.empty()) continue;
        tables << "\n## " << work.name << "\n\n"
               << markdown(rows) << "\nCommands, with the first seed:\n\n```sh\n";
        for (const auto& line : rows) tables << line.command << "  # " << line.name << '\n';
        tables << "```\n";
        for (const auto& how : wanted.methods)
            for (const auto seed : work.seeds)
                for (std::size_t epochs = work.epochs; epochs >= 1; --epochs) {
                    const auto what = cell_of(work, how, seed, epochs);
                    const auto found = finished.find(what.record);
                    if (found == finished.end()) continue;
                    const auto& result = found->second;
                    const double share = static_cast<double>(epochs) / static_cast<double>(work.epochs);
                    cells << quoted(work.name) << ',' << quoted(how.name) << ',' << seed << ',' << epochs
                          << ',' << result.accuracy << ',' << result.seconds << ',' << result.forward_flops
                          << ',' << result.training_flops << ','
                          << 1 - share * result.forward_flops / result.forward_flops_full << ','
                          << 1 - share * result.training_flops / result.training_flops_full << ','
                          << what.record << ',' << quoted(command_of(what)) << '\n';
                }
    }
    write(folder / "table.md", tables.str());
    write(folder / "cells.csv", cells.str());
}
