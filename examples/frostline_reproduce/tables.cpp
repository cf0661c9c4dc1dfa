// SPDX-License-Identifier: MIT

#include "tables.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/report/units.hpp"
#include "write_file.hpp"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace {

using frostline::format_fixed;
using frostline::format_percent;

std::string markdown(const std::vector<row>& rows) {
    std::ostringstream out;
    out << "| method | accuracy, % | against never, points | against never with as many FLOPs, points | "
           "forward FLOPs saved | backward FLOPs saved | training FLOPs saved | times faster | scoring FLOPs "
           "| "
           "on the front | seeds |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|\n";
    for (const auto& line : rows) {
        out << "| " << line.name << " | " << text_of(interval_of(line.accuracies), false) << " | "
            << (&line == &rows.front() ? "" : text_of(interval_of(line.differences), true)) << " | "
            << (line.against_less.empty() ? "" : text_of(interval_of(line.against_less), true)) << " | "
            << format_percent(line.forward_saved) << " | " << format_percent(line.backward_saved) << " | "
            << format_percent(line.training_saved) << " | " << text_of(line.time_ratio) << " | "
            << format_percent(line.scoring) << " | " << (line.on_front ? "yes" : "") << " | "
            << line.runs.size() << " |\n";
    }
    return out.str();
}

// Of the methods but `never`, from the rows of each workload.
std::string markdown(const matrix& wanted, const std::vector<std::vector<row>>& by_workload) {
    std::ostringstream out;
    out << "| method | workloads | against never, points: median | against never with as many FLOPs, points: "
           "mean | training FLOPs saved: median | times faster: median |\n|---|---|---|---|---|---|\n";
    for (auto name = wanted.methods.begin() + 1; name < wanted.methods.end(); ++name) {
        all_workloads together;
        for (const auto& rows : by_workload)
            for (const auto& line : rows)
                if (line.name == *name && !line.fewer_epochs) together.add(line);
        if (together.differences.empty()) continue;
        out << "| " << *name << " | " << together.differences.size() << " | "
            << text_of({.mean = median_of(together.differences)}, true) << " | "
            << together.text_against_less() << " | " << format_percent(median_of(together.training_saved))
            << " | " << text_of(together.time_ratio()) << " |\n";
    }
    return out.str();
}

std::string whole(double flops) { return format_fixed(flops, 0); }

std::string quoted(const std::string& text) {
    std::string field = "\"";
    for (const char letter : text) field += letter == '"' ? "\"\"" : std::string(1, letter);
    return field + '"';
}

}  // namespace

void write_tables(const matrix& wanted, const results& finished, const std::filesystem::path& folder) {
    std::ostringstream tables, cells;
    tables << "# " << wanted.name << "\n\nAccuracy is that "
           << (wanted.accuracy == "test_accuracy" ? "of the test set" : "of samples held out for validation")
           << " after the last epoch. Means over seeds with 95% intervals (Student's t); differences are "
              "paired by seed. `never with as many FLOPs` trains in full for fewer epochs, its schedule "
              "compressed: interpolated between the two whole numbers of epochs around the method's training "
              "FLOPs. FLOPs of scoring are not among those of training: their column tells what share of the "
              "training FLOPs of `never` they come to. The front is that of accuracy against training FLOPs, "
              "among lines that have all seeds. Times are medians, compared on the same kind of machine "
              "alone.\n";
    cells << "workload,method,seed,epochs," << wanted.accuracy
          << ",seconds,forward_flops,training_flops,scoring_flops,forward_flops_saved,training_flops_saved,"
             "machine,record,"
             "command\n";
    std::vector<std::vector<row>> by_workload;
    std::vector<std::string> missing;
    for (const auto& work : wanted.workloads) {
        for (const auto& how : work.methods)
            for (const auto seed : work.seeds)
                // Of `never` alone there are runs in fewer epochs.
                for (std::size_t epochs = work.epochs;
                     epochs >= (&how == &work.methods.front() ? 1 : work.epochs); --epochs) {
                    const auto what = cell_of(work, how, seed, epochs);
                    const auto found = finished.find(what.record);
                    if (found == finished.end()) continue;
                    const auto& result = found->second;
                    const double share = static_cast<double>(epochs) / static_cast<double>(work.epochs);
                    cells << quoted(work.name) << ',' << quoted(name_in_epochs(how, work, epochs)) << ','
                          << seed << ',' << epochs << ',' << result.accuracy << ',' << result.seconds << ','
                          << whole(result.forward_flops) << ',' << whole(result.training_flops) << ','
                          << whole(result.scoring_flops) << ','
                          << 1 - share * result.forward_flops / result.forward_flops_full << ','
                          << 1 - share * result.training_flops / result.training_flops_full << ','
                          << quoted(result.machine) << ',' << what.record << ','
                          << quoted(command_of(what, result)) << '\n';
                }
        // Without `never` nothing can be compared.
        auto rows = rows_of(work, finished);
        if (rows.empty()) {
            missing.push_back(work.name);
            continue;
        }
        tables << "\n## " << work.name << "\n\n"
               << markdown(rows)
               << "\nCommands, to be typed in this folder with the first seed, where `FROSTLINE_DATA` is an "
                  "absolute path. The same bits need the same threads and OpenBLAS kernels ("
               << rows.front().runs.front().result.machine
               << ", where a line names no others), which `OPENBLAS_CORETYPE` chooses.\n\n```sh\n";
        for (const auto& line : rows) {
            const auto& first = line.runs.front();
            tables << command_of(first.what, first.result) << "  # " << line.name;
            if (!first.timed) tables << "; " << first.result.machine;
            tables << '\n';
        }
        tables << "```\n";
        by_workload.push_back(std::move(rows));
    }
    if (!missing.empty()) {
        tables << "\nOf " << wanted.workloads.size()
               << (wanted.workloads.size() == 1 ? " workload " : " workloads ") << missing.size()
               << (missing.size() == 1 ? " has" : " have") << " no finished run of `"
               << wanted.methods.front() << "`, and no table:";
        for (const auto& name : missing) tables << (&name == &missing.front() ? " " : ", ") << name;
        tables << ".\n";
    }
    if (by_workload.size() > 1)
        tables
            << "\n## All workloads\n\nEach workload counts once, with its mean over seeds; the interval is "
               "over workloads. A method that leaves less than an epoch of training has nothing to be "
               "compared with for as many FLOPs.\n\n"
            << markdown(wanted, by_workload);
    write_file(folder / "table.md", tables.str());
    write_file(folder / "cells.csv", cells.str());
}
