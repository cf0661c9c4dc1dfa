// SPDX-License-Identifier: MIT

#include "projection.hpp"

#include "epoch_seconds.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/openblas.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/report/units.hpp"
#include "frostline_train/settings.hpp"
#include "history.hpp"
#include "runner.hpp"
#include "training_process.hpp"
#include "validators.hpp"
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
    std::vector<double> forward{0};                ///< of the forward FLOPs, dropped
    std::vector<double> frozen{0}, dropped{0};     ///< of the training FLOPs
    std::vector<double> cut_bytes{0};              ///< of a sample's output behind them
    double forward_flops = 0, training_flops = 0;  ///< of a sample, without freezing
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
        found.forward_flops += line.at("forward_flops").get<double>();
        found.training_flops += line.at("backward_flops").get<double>();
        found.forward.push_back(found.forward_flops);
        found.cut_bytes.push_back(line.at("cut_bytes"));
        found.frozen.push_back(line.at("frozen_saves"));
        found.dropped.push_back(line.at("dropped_saves"));
    }
    require<data_error>(found.forward_flops > 0, "frostline-train --summary told no blocks of ", work.name);
    found.training_flops += found.forward_flops;
    for (double& share : found.forward) share /= found.forward_flops;
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

    /// @param rows  samples times views, of each of which the store holds a row within `budget` bytes
    void add(const savings& blocks, const std::vector<std::size_t>& frozen, std::size_t views, double rows,
             double budget) {
        double forward = 0, training = 0;
        for (std::size_t epoch = 0; epoch < frozen.size(); ++epoch) {
            // A block that froze runs once more for each view, which fills the store.
            std::size_t dropped = epoch < views ? 0 : frozen[epoch];
            for (std::size_t back = 1; back <= std::min(views, epoch); ++back)
                dropped = std::min(dropped, frozen[epoch - back]);
            // Where not all rows find room, those that do are worth most behind another block, perhaps.
            double share = 0;
            std::size_t cut = 0;
            for (std::size_t behind = 1; behind <= dropped; ++behind) {
                const double held = std::min(1.0, budget / (blocks.cut_bytes[behind] * rows));
                if (held * blocks.forward[behind] < share * blocks.forward[cut]) continue;
                share = held;
                cut = behind;
            }
            forward += share * blocks.forward[cut];
            training += blocks.frozen[frozen[epoch]] + share * (blocks.dropped[cut] - blocks.frozen[cut]);
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
    const std::size_t number = std::stoul(option_text(options, "views", "0"));
    return number == 0 ? epochs : number;
}

/// In bytes of rows that are not encoded.
double store_budget_of(const train_options& options) {
    if (option_text(options, "store", "") == "none") return 0;
    auto bytes = option_text(options, "store-budget", std::to_string(settings{}.store_budget));
    const auto problem = size()(bytes);
    require<data_error>(problem.empty(), "store-budget: ", problem);
    const auto encoding = option_text(options, "store-encoding", "");
    return std::stod(bytes) * (encoding == "bfloat16" ? 2 : encoding == "uint8" ? 4 : 1);
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
        const auto samples = published_samples(work);
        const double learned = samples.training * (1 - held_out_share(work));
        std::vector<std::pair<const method*, projected>> methods;
        std::optional<savings> blocks;
        for (const auto& how : work.methods) {
            const bool drops = how.options.at("policy") != "never";
            const auto same =
                std::find_if(small->methods.begin(), small->methods.end(), [&](const method& other) {
                    return other.name == how.name && other.options.at("policy") == how.options.at("policy");
                });
            if (!drops) continue;
            if (same == small->methods.end()) {
                std::cout << work.name << ", " << how.name << ": " << measured.what.name
                          << " has no method of that name and policy" << std::endl;
                continue;
            }
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
                const auto views = views_of(how.options, work.epochs);
                all.add(*blocks, stretched(history, work.epochs), views, learned * static_cast<double>(views),
                        store_budget_of(how.options));
            }
            if (all.runs > 0) methods.emplace_back(&how, all);
        }
        if (methods.empty()) continue;
        std::optional<seconds_of_epoch> epoch;
        try {
            const auto here = samples_here(work);
            epoch = measured_epoch_seconds(program, work, folder / scratch_name);
            epoch->training *= samples.training / here.training;
            epoch->evaluation *= samples.test / here.test;
        } catch (const frostline::error& failure) {
            std::cout << work.name << ": cannot be timed; " << failure.what() << std::endl;
        }
        const auto hours = [&](double training_saved) {
            return epoch ? format_fixed((epoch->training * (1 - training_saved) + epoch->evaluation) *
                                            static_cast<double>(work.epochs) / 3600,
                                        1)
                         : "";
        };
        if (epoch) std::cout << work.name << ": " << hours(0) << " hours without freezing" << std::endl;
        const double passes = learned * static_cast<double>(work.epochs);
        const auto flops = [&](double of_sample, double saved) {
            return frostline::format_flops(static_cast<std::uint64_t>(passes * of_sample * (1 - saved)));
        };
        for (const auto& [how, all] : methods)
            lines << "| " << work.name << " | " << how->name << " | " << all.runs << " | "
                  << flops(blocks->forward_flops, 0) << " | "
                  << flops(blocks->forward_flops, all.forward_saved) << " | "
                  << format_percent(all.forward_saved) << " | " << flops(blocks->training_flops, 0) << " | "
                  << flops(blocks->training_flops, all.training_saved) << " | "
                  << format_percent(all.training_saved) << " | " << hours(0) << " | "
                  << hours(all.training_saved) << " |\n";
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
            ", and to be dropped once each view has passed them, as far as the rows of the whole published "
            "data set find room in the matrix's store budget; blocks that froze behind others count as "
            "learning. FLOPs and hours are for one seed: without freezing, with it, and the share saved. "
            "Hours are from timed steps on ",
            frostline::threads(), " threads with OpenBLAS kernels for ", ::openblas_get_corename(),
            "; training falls as its FLOPs do, evaluations stay.\n\n"
            "| workload | method | runs measured | forward FLOPs | with it | saved | training FLOPs | with "
            "it | saved | hours | with it |\n|---|---|---|---|---|---|---|---|---|---|---|\n",
            lines.str()));
    std::cout << "results: " << path.string() << '\n';
}
