// SPDX-License-Identifier: MIT

#include "projection.hpp"

#include "epoch_seconds.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/report/units.hpp"
#include "history.hpp"
#include "runner.hpp"
#include "training_process.hpp"
#include "write_file.hpp"

#include <algorithm>
#include <cstddef>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

namespace {

using frostline::data_error;
using frostline::format_fixed;
using frostline::format_percent;
using frostline::require;

/// What a network's leading blocks save: by how many of them, from none on, shares of an epoch without
/// freezing.
struct savings {
    std::vector<double> forward{0};             ///< of the forward FLOPs, dropped
    std::vector<double> frozen{0}, dropped{0};  ///< of the training FLOPs
};

savings savings_of(const std::string& program, const workload& work, const std::filesystem::path& scratch) {
    auto summary = cell_of(work, work.methods.front(), work.seeds.front(), work.epochs);
    summary.options["summary"] = "";
    const scratch_file removed{scratch};
    run_training(program, summary, scratch);
    savings found;
    std::ifstream file(scratch);
    for (std::string words; std::getline(file, words);) {
        const auto line = nlohmann::json::parse(words, nullptr, /*allow_exceptions=*/false);
        if (!line.is_object() || line.value("event", "") != "block") continue;
        found.forward.push_back(found.forward.back() + line.at("forward_flops").get<double>());
        found.frozen.push_back(line.at("frozen_saves"));
        found.dropped.push_back(line.at("dropped_saves"));
    }
    require<data_error>(found.forward.back() > 0, "frostline-train --summary told no blocks of ", work.name);
    for (double& share : found.forward) share /= found.forward.back();
    return found;
}

/// Leading blocks that are frozen in each of `epochs` epochs, at the same shares of the run as in `measured`.
std::vector<std::size_t> stretched(const run_history& measured, std::size_t epochs) {
    std::vector<std::size_t> frozen(epochs);
    for (std::size_t epoch = 0; epoch < epochs; ++epoch)
        frozen[epoch] = measured.epochs[epoch * measured.epochs.size() / epochs].frozen;
    return frozen;
}

struct projected {
    double forward_saved = 0, training_saved = 0;  ///< means over runs
    std::size_t runs = 0;

    void add(const savings& blocks, const std::vector<std::size_t>& frozen, std::size_t views) {
        double forward = 0, training = 0;
        for (std::size_t epoch = 0; epoch < frozen.size(); ++epoch) {
            // A block that froze runs once more for each view, which fills the store.
            std::size_t dropped = epoch < views ? 0 : frozen[epoch];
            for (std::size_t back = 1; back <= std::min(views, epoch); ++back)
                dropped = std::min(dropped, frozen[epoch - back]);
            forward += blocks.forward[dropped];
            training += blocks.frozen[frozen[epoch]] + blocks.dropped[dropped] - blocks.frozen[dropped];
        }
        const auto epochs = static_cast<double>(frozen.size());
        forward_saved += (forward / epochs - forward_saved) / static_cast<double>(runs + 1);
        training_saved += (training / epochs - training_saved) / static_cast<double>(runs + 1);
        ++runs;
    }
};

// Random augmentation without views never shows a view again, and nothing is dropped: as many views as
// epochs.
std::size_t views_of(const train_options& options, std::size_t epochs) {
    if (!options.contains("augment")) return 1;
    const auto views = options.find("views");
    const std::size_t number = views == options.end() ? 0 : std::stoul(views->second);
    return number == 0 ? epochs : number;
}

const workload* find(const matrix& in, const std::string& name) {
    const auto found = std::find_if(in.workloads.begin(), in.workloads.end(),
                                    [&](const workload& work) { return work.name == name; });
    return found == in.workloads.end() ? nullptr : &*found;
}

}  // namespace

void write_projection(const matrix& wanted, const measured_matrix& measured, const std::string& program,
                      const std::filesystem::path& folder) {
    const runner small_cells(measured.what, measured.folder, program);
    std::ostringstream lines;
    for (const auto& work : wanted.workloads) {
        const workload* const small = find(measured.what, work.name);
        if (!small) continue;
        std::vector<std::pair<const method*, projected>> methods;
        std::optional<savings> blocks;
        for (const auto& how : work.methods) {
            const bool drops = how.options.at("policy") != "never";
            const auto same = std::find_if(small->methods.begin(), small->methods.end(),
                                           [&](const method& other) { return other.name == how.name; });
            if (!drops || same == small->methods.end()) continue;
            projected all;
            for (const auto seed : small->seeds) {
                const auto cell = cell_of(*small, *same, seed, small->epochs);
                if (!small_cells.finished().contains(cell.record)) continue;
                const auto record = measured.folder / cell.record;
                const auto history = read_history(record, measured.what.accuracy);
                if (!blocks) blocks = savings_of(program, work, folder / scratch_name);
                require<data_error>(history.blocks + 1 == blocks->forward.size(), "the network of ",
                                    work.name, " has ", blocks->forward.size() - 1, " blocks, and ",
                                    history.blocks, " in the record ", record.string());
                all.add(*blocks, stretched(history, work.epochs), views_of(how.options, work.epochs));
            }
            if (all.runs > 0) methods.emplace_back(&how, all);
        }
        if (methods.empty()) continue;
        const auto epoch = measured_epoch_seconds(program, work, folder / scratch_name);
        const auto hours = [&](double training_saved) {
            return format_fixed((epoch.training * (1 - training_saved) + epoch.evaluation) *
                                    static_cast<double>(work.epochs) / 3600,
                                1);
        };
        std::cout << work.name << ": " << hours(0) << " hours without freezing" << std::endl;
        for (const auto& [how, all] : methods)
            lines << "| " << work.name << " | " << how->name << " | " << all.runs << " | "
                  << format_percent(all.forward_saved) << " | " << format_percent(all.training_saved) << " | "
                  << hours(0) << " | " << hours(all.training_saved) << " |\n";
    }
    require<data_error>(!lines.str().empty(), "no workload of ", wanted.name, " has a finished cell in ",
                        measured.folder.string());
    const auto path = folder / "projection.md";
    write_file(
        path,
        frostline::sentence(
            "# ", wanted.name,
            ": a projection\n\nNothing here was trained. Blocks are taken to freeze at the same shares of "
            "the run as in the runs of ",
            measured.what.name,
            ", and to be dropped once each view has passed them, in a store that is large enough; blocks "
            "that froze behind others count as learning. Hours are for one seed, from timed steps on the "
            "machine at hand; training falls as its FLOPs do, evaluations stay.\n\n"
            "| workload | method | runs measured | forward FLOPs saved | training FLOPs saved | hours "
            "without freezing | hours with it |\n|---|---|---|---|---|---|---|\n",
            lines.str()));
    std::cout << "results: " << path.string() << '\n';
}
