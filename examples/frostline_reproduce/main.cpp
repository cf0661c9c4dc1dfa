// SPDX-License-Identifier: MIT
// frostline-reproduce: trains a matrix of models, data sets, policies and seeds by frostline-train, and makes
// tables and a page of the results. Cells that are finished are not run again.

#include "program.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/version.hpp"
#include "matrix.hpp"
#include "page.hpp"
#include "projection.hpp"
#include "runner.hpp"
#include "tables.hpp"
#include "training_process.hpp"

#include <CLI/CLI.hpp>

#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
    std::string matrix_file, folder,
        train = (std::filesystem::read_symlink("/proc/self/exe").parent_path() / "frostline-train").string();
    std::vector<std::string> project;
    bool tables_only = false, expected_hours = false, retrain = false;
    CLI::App app{
        "Trains a matrix of models, data sets, policies and seeds, and makes tables and a page of the "
        "results.",
        "frostline-reproduce"};
    app.set_version_flag("--version", "frostline-reproduce " + std::string(frostline::version_string));
    app.add_option("MATRIX", matrix_file, "JSON file that says what to train")->required();
    app.add_option("FOLDER", folder,
                   "Where records, tables and the page go; cells that are finished there stay")
        ->required();
    app.add_option("--train", train, "frostline-train to run, beside this program by default");
    auto* only_tables = app.add_flag("--tables-only", tables_only,
                                     "Run nothing: tables and the page of the cells that are finished");
    app.add_flag("--expected-hours", expected_hours,
                 "Time two steps of each workload, print how long the cells that are left will take, and end")
        ->excludes(only_tables);
    app.add_flag("--retrain", retrain,
                 "Train finished cells again whose options in the matrix have changed, or are not known")
        ->excludes(only_tables);
    app.add_option(
           "--project", project,
           "Train nothing: project what each method saves here from the runs that are finished of another "
           "MATRIX in its FOLDER")
        ->type_name("MATRIX FOLDER")
        ->expected(2)
        ->excludes("--tables-only")
        ->excludes("--expected-hours")
        ->excludes("--retrain");
    try {
        return program::main(app, argc, argv, [&] {
            if (folder.starts_with('-')) folder.insert(0, "./");  // or records in it would be read as options
            const auto wanted = read_matrix(matrix_file);
            std::filesystem::create_directories(folder);
            if (!tables_only) {
                watch_signals();
                lock_folder(folder);
            }
            if (!project.empty())
                return write_projection(wanted, {read_matrix(project[0]), project[1]}, train, folder);
            runner cells(wanted, folder, train);
            const auto others = retrain ? std::string() : cells.others_finished();
            if (tables_only) {
                if (!others.empty())
                    std::cerr << app.get_name() << ": " << others << ": the tables leave them out\n";
            } else {
                frostline::require<frostline::data_error>(
                    others.empty(), others, ": another folder keeps them, --retrain trains them again");
                cells.print_expected_time();
                if (expected_hours) return;
                cells.run_all();
            }
            write_tables(wanted, cells.finished(), folder);
            write_page(wanted, cells.finished(), folder);
            for (const char* name : {"table.md", "index.html"})
                std::cout << "results: " << (std::filesystem::path(folder) / name).string() << '\n';
            const auto& failures = cells.failures();
            std::string each;
            for (const auto& failure : failures) each += "; " + failure;
            frostline::require<frostline::error>(failures.empty(), "the tables lack ", failures.size(),
                                                 failures.size() == 1 ? " cell" : " cells", each);
        });
    } catch (const interrupted&) {
        const bool keeps_cells = project.empty() && !expected_hours;
        return program::fail(app.get_name(),
                             keeps_cells ? "interrupted; the same command goes on from here" : "interrupted",
                             program::ended_by_signal);
    }
}
