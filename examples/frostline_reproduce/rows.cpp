// SPDX-License-Identifier: MIT

#include "rows.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/report/units.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <set>
#include <utility>

namespace {

class workload_rows {
public:
    workload_rows(const workload& work, const results& finished) : work_(work), finished_(finished) {}

    std::vector<row> all() const {
        std::vector<row> found;
        for (const auto& how : work_.methods) add(found, how.name, how, work_.epochs);
        std::set<std::size_t, std::greater<>> fewer;
        for (const auto& how : work_.methods)
            for (const auto seed : work_.seeds)
                if (const auto result = result_of(how, seed, work_.epochs); result && how.train_less)
                    for (const auto epochs : epochs_around(*result, work_.epochs)) fewer.insert(epochs);
        for (const auto epochs : fewer) add(found, name_in_epochs(never(), work_, epochs), never(), epochs);
        // Few seeds may be lucky ones.
        for (auto& line : found)
            line.on_front = line.runs.size() == work_.seeds.size() &&
                            std::none_of(found.begin(), found.end(),
                                         [&](const row& other) { return beats(other, line); });
        return found;
    }

private:
    // On all seeds of `line`: at least as accurate for no more training FLOPs, and better in one of both.
    static bool beats(const row& other, const row& line) {
        double accuracy = 0, flops = 0;
        for (const auto& run : line.runs) {
            const auto same = std::find_if(other.runs.begin(), other.runs.end(),
                                           [&](const auto& each) { return each.seed == run.seed; });
            if (same == other.runs.end()) return false;
            accuracy += same->result.accuracy - run.result.accuracy;
            flops += same->result.training_flops - run.result.training_flops;
        }
        constexpr double rounding = 1e-9;  // of sums over seeds
        return accuracy > -rounding && flops <= 0 && (accuracy > rounding || flops < 0);
    }

    const method& never() const { return work_.methods.front(); }

    std::optional<cell_result> result_of(const method& how, std::uint64_t seed, std::size_t epochs) const {
        const auto found = finished_.find(cell_of(work_, how, seed, epochs).record);
        return found == finished_.end() ? std::nullopt : std::optional(found->second);
    }

    // What `never` reaches for the training FLOPs of a result: on the line between the two numbers of epochs
    // around them.
    std::optional<double> never_at_flops_of(const cell_result& result, std::uint64_t seed) const {
        const auto around = epochs_around(result, work_.epochs);
        if (result.training_flops >= result.training_flops_full) {
            const auto whole = result_of(never(), seed, work_.epochs);
            return whole ? std::optional(whole->accuracy) : std::nullopt;
        }
        std::vector<cell_result> ends;
        for (const auto epochs : around)
            if (const auto less = result_of(never(), seed, epochs)) ends.push_back(*less);
        if (around.size() == 1)
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
        line.fewer_epochs = epochs != work_.epochs;
        double forward = 0, training = 0, scoring = 0, forward_full = 0, training_full = 0;
        std::vector<double> ratios;
        for (const auto seed : work_.seeds) {
            const auto whole = result_of(never(), seed, work_.epochs), result = result_of(how, seed, epochs);
            if (!whole || !result) continue;
            const bool timed = result->machine == whole->machine;
            line.runs.push_back(
                {.seed = seed, .what = cell_of(work_, how, seed, epochs), .result = *result, .timed = timed});
            line.accuracies.push_back(100 * result->accuracy);
            line.differences.push_back(100 * (result->accuracy - whole->accuracy));
            if (const auto less = never_at_flops_of(*result, seed);
                less && how.train_less && how.name != never().name)
                line.against_less.push_back(100 * (result->accuracy - *less));
            forward += result->forward_flops;
            training += result->training_flops;
            scoring += result->scoring_flops;
            forward_full += whole->forward_flops;
            training_full += whole->training_flops;
            if (timed) ratios.push_back(whole->seconds / result->seconds);
        }
        if (line.runs.empty()) return;
        line.forward_saved = 1 - forward / forward_full;
        line.backward_saved = 1 - (training - forward) / (training_full - forward_full);
        line.training_saved = 1 - training / training_full;
        line.scoring = scoring / training_full;
        if (!ratios.empty()) line.time_ratio = median_of(ratios);
        if (line.against_less.size() != line.runs.size()) line.against_less.clear();
        rows.push_back(std::move(line));
    }

    const workload& work_;
    const results& finished_;
};

}  // namespace

void all_workloads::add(const row& line) {
    differences.push_back(interval_of(line.differences).mean);
    if (!line.against_less.empty()) against_less.push_back(interval_of(line.against_less).mean);
    if (line.time_ratio) time_ratios.push_back(*line.time_ratio);
    training_saved.push_back(line.training_saved);
}

std::optional<double> all_workloads::time_ratio() const {
    return time_ratios.empty() ? std::nullopt : std::optional(median_of(time_ratios));
}

std::string all_workloads::text_against_less() const {
    if (against_less.empty()) return {};
    const auto text = text_of(interval_of(against_less), true);
    return against_less.size() == differences.size()
               ? text
               : frostline::sentence(text, " (", against_less.size(), " of ", differences.size(), ")");
}

std::vector<row> rows_of(const workload& work, const results& finished) {
    return workload_rows(work, finished).all();
}

std::string name_in_epochs(const method& how, const workload& work, std::size_t epochs) {
    if (epochs == work.epochs) return how.name;
    return frostline::sentence(how.name, ", ", epochs, epochs == 1 ? " epoch" : " epochs");
}

std::vector<std::size_t> epochs_around(const cell_result& result, std::size_t epochs) {
    const double wanted = result.training_flops / result.training_flops_full * static_cast<double>(epochs);
    const auto lower = static_cast<std::size_t>(wanted);
    if (lower < 1 || lower >= epochs) return {};
    if (lower + 1 == epochs) return {lower};
    return {lower, lower + 1};
}

std::string text_of(const std::optional<double>& time_ratio) {
    return time_ratio ? frostline::format_fixed(*time_ratio, 2) : "";
}

std::string text_of(const interval& values, bool sign) {
    auto mean = frostline::format_fixed(values.mean, 2);
    if (mean == "-0.00") mean = "0.00";
    std::string text = sign && mean.front() != '-' ? "+" + mean : mean;
    if (std::isfinite(values.half_width)) text += " ± " + frostline::format_fixed(values.half_width, 2);
    return text;
}
