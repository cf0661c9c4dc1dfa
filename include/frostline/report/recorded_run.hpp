// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/observer.hpp"
#include "frostline/concepts/plan_costs.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/pass.hpp"
#include "frostline/report/record_lines.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What a record tells of one run, as far as a policy can be run on it again.
struct recorded_run {
    struct decision {
        std::size_t epoch = 0;  ///< epochs finished
        std::size_t step = 0;   ///< steps finished
        decision_scores scores{};
        double learning_rate = 0;  ///< mean of the steps since the decision before
        double learning_rate_left = 0;
        double train_loss = 0;
        std::map<std::string, decision_scores, std::less<>> other_scores{};  ///< by scorer, with options
    };
    struct block_flops {
        flop_counts flops;
    };

    std::string policy;  ///< with which it was trained
    std::string scorer;
    std::string scorer_options{};  ///< with the name, "linear_cka:reference=initial"; empty: not told
    std::optional<std::size_t> store_budget{};  ///< bytes; 0: nothing was stored; absent: not told
    std::size_t epochs = 0;
    std::size_t steps_per_epoch = 0;
    std::size_t batch_size = 0;
    std::size_t training_samples = 0;
    std::size_t views = 1;             ///< after how many epochs the same images come again; 0: never
    std::size_t processes = 1;         ///< that share the training set and its features
    std::vector<block_costs> costs{};  ///< of every block of the network
    std::vector<std::size_t> learning_blocks{};  ///< their numbers in the network
    std::vector<decision> decisions{};
    std::optional<plan_costs_known>
        plan{};  ///< absent where nothing froze, and in records of earlier versions
    std::size_t finished_epochs = 0;
    double seconds = 0;  ///< of training, the finished epochs together

    /// Whether every decision has scores of this scorer, "linear_cka:reference=initial". Where the record
    /// does not tell the options of its own scorer, the name counts.
    bool has_scores_of(std::string_view wanted) const {
        if (wanted == (scorer_options.empty() ? scorer : scorer_options)) return true;
        if (scorer_options.empty() && wanted.substr(0, wanted.find(':')) == scorer) return true;
        return std::ranges::all_of(decisions,
                                   [&](const auto& made) { return made.other_scores.contains(wanted); });
    }

    /// What a policy that is meant for the scorer `wanted` decides by: its scores where there are any, else
    /// those of the record's own scorer.
    const decision_scores& scores_for(std::string_view wanted, const decision& made) const {
        const auto found = made.other_scores.find(wanted);
        return found == made.other_scores.end() ? made.scores : found->second;
    }

    std::size_t blocks() const { return costs.size(); }
    block_flops block(std::size_t index) const {
        const auto& cost = costs[index];
        const auto count = [](double flops) { return static_cast<std::uint64_t>(std::llround(flops)); };
        return {{.forward = count(cost.forward_flops),
                 .backward_input = count(cost.backward_input_flops),
                 .backward_parameters =
                     count(cost.backward_flops - cost.backward_input_flops - cost.backward_inner_flops),
                 .backward_inner = count(cost.backward_inner_flops)}};
    }
};

/// Reads the runs of a record, one after the other, as `frostline::record` writes them: a `start` line, then
/// its `decision` and `epoch` lines. Lines of other kinds are passed over, and so are runs that ended before
/// their first decision or within their first epoch, and a last line that a crash left incomplete.
/// @throws data_error when the file cannot be read, is no record, or lacks what a replay needs
class record_reader {
public:
    explicit record_reader(std::filesystem::path path) : path_(std::move(path)) {}

    /// The first line of event `costs`, which a run with these costs can be given.
    plan_costs read_costs() {
        std::ifstream file = open();
        std::string text;
        for (number_ = 1; std::getline(file, text); ++number_) {
            const auto line = json::parse(text, nullptr, /*allow_exceptions=*/false);
            if (line.is_object() && line.contains("event") && line["event"] == "costs")
                return plan(line).costs;
        }
        throw data_error(sentence("the record ", path_.string(), " holds no line of event costs"));
    }

    std::vector<recorded_run> read() {
        std::ifstream file = open();
        std::vector<recorded_run> runs;
        std::string text;
        json settings;            // of frostline-train, for the run that starts next
        double last_seconds = 0;  // of the last epoch
        for (number_ = 1; std::getline(file, text); ++number_) {
            const auto line = json::parse(text, nullptr, /*allow_exceptions=*/false);
            if (line.is_discarded() && file.eof()) break;
            need(line.is_object() && line.contains("schema") && line.contains("event"),
                 "is no line of a record, expected a JSON object with the fields schema and event");
            need(line["schema"] == record_schema, "has another schema than ", record_schema);
            const auto& event = line["event"];
            if (event == "run") settings = line;
            if (event == "start") {
                runs.push_back(start(line));
                set_up(runs.back(), std::exchange(settings, {}));
            }
            if (event != "decision" && event != "epoch" && event != "summary" && event != "costs") continue;
            need(!runs.empty(),
                 "comes before any line of event start, which tells what the blocks cost: records of earlier "
                 "versions have none");
            if (event == "decision") runs.back().decisions.push_back(decision(line, runs.back()));
            if (event == "costs") {
                runs.back().plan = plan(line);
                need(runs.back().plan->row_bytes.size() == runs.back().blocks() &&
                         runs.back().plan->costs.block_seconds.size() == runs.back().blocks(),
                     "tells of another number of blocks than the line of event start");
            }
            if (event == "epoch") {
                last_seconds = number(line, "seconds");
                runs.back().seconds += last_seconds;
                ++runs.back().finished_epochs;
            }
            if (event == "summary" && line.contains("stopped") && line["stopped"] == true &&
                number(line, "forward_flops_full") < (1 - 1e-9) * full_forward_flops(runs.back())) {
                // Stopped within its last epoch, which cannot be replayed. What was rounded is no step.
                runs.back().seconds -= last_seconds;
                --runs.back().finished_epochs;
            }
            if (event == "summary" && line.contains("policy") && line["policy"].is_string())
                runs.back().policy = line["policy"];
        }
        require<data_error>(!runs.empty(), "the record ", path_.string(), " holds no line of event start");
        std::erase_if(
            runs, [](const recorded_run& run) { return run.decisions.empty() || run.finished_epochs == 0; });
        require<data_error>(
            !runs.empty(), "no run in the record ", path_.string(),
            " has a line of event decision and an epoch that was finished, so there is nothing to replay");
        return runs;
    }

private:
    using json = nlohmann::json;

    std::ifstream open() const {
        std::ifstream file(path_);
        require<data_error>(file.is_open() && !std::filesystem::is_directory(path_),
                            "cannot read the record ", path_.string());
        return file;
    }

    template <class... Parts>
    void need(bool condition, const Parts&... parts) const {
        require<data_error>(condition, "line ", number_, " of the record ", path_.string(), " ", parts...);
    }

    const json& field(const json& line, const char* name) const {
        need(line.is_object() && line.contains(name), "lacks the field ", name);
        return line[name];
    }
    double number(const json& line, const char* name) const {
        const auto& value = field(line, name);
        need(value.is_number(), "has no number in the field ", name);
        return value;
    }
    std::size_t count(const json& line, const char* name) const {
        const double value = number(line, name);
        need(value >= 0 && value <= 1e15 && value == std::floor(value), "has no whole number in the field ",
             name, ", found ", value);
        return static_cast<std::size_t>(value);
    }
    const json& array(const json& line, const char* name) const {
        const auto& value = field(line, name);
        need(value.is_array() && !value.empty(), "has no list in the field ", name);
        return value;
    }

    // Of the epochs that are told, each of them whole.
    static double full_forward_flops(const recorded_run& run) {
        double of_sample = 0;
        for (const auto& cost : run.costs) of_sample += cost.forward_flops;
        return of_sample * static_cast<double>(run.training_samples) *
               static_cast<double>(run.finished_epochs);
    }

    plan_costs_known plan(const json& line) const {
        plan_costs_known found;
        found.epoch = count(line, "epoch");
        found.step = count(line, "step");
        for (const auto& seconds : array(line, "block_seconds")) {
            need(seconds.is_number(), "has no numbers in the field block_seconds");
            found.costs.block_seconds.push_back(seconds);
        }
        for (const auto& bytes : array(line, "row_bytes")) {
            need(bytes.is_number_unsigned(), "has no whole numbers in the field row_bytes");
            found.row_bytes.push_back(bytes);
        }
        for (const auto& tier : array(line, "tiers")) {
            const auto &name = field(tier, "name"), &ahead = field(tier, "read_ahead"),
                       &budget = field(tier, "budget");
            need(name.is_string() && ahead.is_boolean(), "has a tier without name or read_ahead");
            need(budget.is_number_unsigned(), "has no whole number in the field budget");
            found.tiers.push_back({name, budget, ahead});
            found.costs.tiers.push_back(
                {number(tier, "write_bytes_per_second"), number(tier, "read_bytes_per_second")});
        }
        const auto& grows = field(line, "grows");
        need(grows.is_boolean(), "has neither true nor false in the field grows");
        found.grows = grows;
        return found;
    }

    // As far as it is told.
    static void set_up(recorded_run& run, const json& settings) {
        const auto text = [&](const char* name) -> std::string {
            return settings.contains(name) && settings[name].is_string() ? settings[name] : json("");
        };
        run.policy = text("policy");
        run.scorer_options = text("scorer");
        if (settings.contains("store_budget") && settings["store_budget"].is_number_unsigned())
            run.store_budget = settings["store_budget"];
        if (text("store") == "none") run.store_budget = 0;
    }

    recorded_run start(const json& line) const {
        recorded_run run;
        run.epochs = count(line, "epochs");
        run.steps_per_epoch = count(line, "steps_per_epoch");
        run.batch_size = count(line, "batch_size");
        run.training_samples = count(line, "training_samples");
        if (line.contains("views")) run.views = count(line, "views");
        if (line.contains("processes")) run.processes = std::max<std::size_t>(1, count(line, "processes"));
        need(run.epochs > 0 && run.steps_per_epoch > 0 && run.batch_size > 0,
             "tells of a run without a step");
        for (const auto& block : array(line, "blocks")) {
            const bool tells_inner = block.contains("backward_inner_flops");  // earlier versions do not
            run.costs.push_back(
                {.forward_flops = number(block, "forward_flops"),
                 .backward_flops = number(block, "backward_flops"),
                 .output_bytes = number(block, "output_bytes"),
                 .backward_input_flops = number(block, "backward_input_flops"),
                 .backward_inner_flops = tells_inner ? number(block, "backward_inner_flops") : 0});
        }
        return run;
    }

    recorded_run::decision decision(const json& line, recorded_run& run) const {
        recorded_run::decision made;
        made.epoch = count(line, "epoch");
        made.step = count(line, "step");
        need(run.decisions.empty() || made.step > run.decisions.back().step,
             "is a decision that comes no later than the one before");
        const double steps = number(line, "steps");
        made.learning_rate = steps > 0 ? number(line, "learning_rate_sum") / steps : 0.0;
        made.learning_rate_left = number(line, "learning_rate_left");
        made.train_loss = number(line, "train_loss");
        const auto& scores = field(line, "scores");
        need(scores.is_object() && scores.size() == 1, "has no scores of one scorer in the field scores");
        run.scorer = scores.begin().key();
        made.scores = scores_in(array(scores, run.scorer.c_str()), run);
        if (line.contains("other_scores")) {
            const auto& others = line["other_scores"];
            need(others.is_object(), "has no scores by scorer in the field other_scores");
            for (const auto& [scorer, blocks] : others.items())
                made.other_scores.emplace(scorer, scores_in(array(others, scorer.c_str()), run));
        }
        return made;
    }

    decision_scores scores_in(const json& list, recorded_run& run) const {
        decision_scores scores;
        std::vector<std::size_t> blocks;
        for (const auto& score : list) {
            blocks.push_back(count(score, "block"));
            need(blocks.back() < run.blocks() && (blocks.size() < 2 || blocks.back() > *(blocks.end() - 2)),
                 "scores block ", blocks.back(), ", expected ascending blocks of the ", run.blocks(),
                 " in the line of event start");
            const auto& value = field(score, "score");
            need(value.is_null() || value.is_number(), "has neither a number nor null in the field score");
            scores.push_back(value.is_null() ? std::nullopt : std::optional(value.get<double>()));
        }
        need(run.learning_blocks.empty() || run.learning_blocks == blocks,
             "scores other blocks than the decisions before");
        run.learning_blocks = std::move(blocks);
        return scores;
    }

    std::filesystem::path path_;
    std::size_t number_ = 0;  // of the line, for people
};

}  // namespace frostline
