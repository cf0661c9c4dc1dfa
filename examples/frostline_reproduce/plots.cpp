// SPDX-License-Identifier: MIT

#include "plots.hpp"

#include "frostline/core/errors.hpp"
#include "frostline/report/units.hpp"
#include "svg.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <utility>

namespace {

using frostline::format_fixed;
using frostline::sentence;

struct unit {
    double size = 1;
    std::string name;
};

unit flops_unit(double most) {
    constexpr std::array<std::pair<double, const char*>, 4> units{
        {{1e18, "EFLOP"}, {1e15, "PFLOP"}, {1e12, "TFLOP"}, {1e9, "GFLOP"}}};
    for (const auto& [size, name] : units)
        if (most >= size) return {size, name};
    return {1e6, "MFLOP"};
}

unit time_unit(double most) {
    if (most >= 2 * 3600) return {3600, "hours"};
    return most >= 300 ? unit{60, "minutes"} : unit{1, "seconds"};
}

std::optional<double> value_of(const run_history::epoch& epoch, epoch_value value) {
    switch (value) {
        case epoch_value::accuracy:
            return epoch.accuracy;
        case epoch_value::training_accuracy:
            return epoch.training_accuracy;
        case epoch_value::flops:
            return epoch.flops;
        case epoch_value::seconds:
            return epoch.seconds;
    }
    return std::nullopt;
}

// The points of one run, or of the means over several.
std::vector<svg::point> points_of(std::span<const run_history> runs, epoch_value value, double scale) {
    std::vector<svg::point> points;
    for (std::size_t epoch = 0;; ++epoch) {
        double sum = 0, count = 0;
        bool any = false;
        for (const auto& run : runs) {
            if (epoch >= run.epochs.size()) continue;
            any = true;
            const auto found = value_of(run.epochs[epoch], value);
            if (!found) continue;
            sum += *found * scale;
            ++count;
        }
        if (!any) return points;
        if (count > 0) points.push_back({static_cast<double>(epoch + 1), sum / count});
    }
}

std::vector<double> costs_of(const row& line, cost wanted) {
    std::vector<double> found;
    for (const auto& each : line.runs)
        if (wanted == cost::flops)
            found.push_back(each.result.training_flops);
        else if (each.timed)
            found.push_back(each.result.seconds);
    return found;
}

// What a plot's axis has to show of means with intervals: wide intervals may leave the plot.
std::vector<double> ends_of(const std::vector<interval>& all) {
    double low = std::numeric_limits<double>::infinity(), high = -low;
    for (const auto& each : all) {
        low = std::min(low, each.mean);
        high = std::max(high, each.mean);
    }
    std::vector<double> ends;
    for (const auto& each : all)
        for (const double sign : {-1.0, 1.0})
            ends.push_back(each.mean + sign * std::min(each.half_width, (high - low) / 2));
    return ends;
}

// The accuracies at the start, from where a network that knows nothing learns fast, would hide the rest.
std::vector<double> without_start(const std::vector<double>& values, const std::vector<double>& late) {
    if (late.empty()) return values;
    const auto [low, high] = std::minmax_element(late.begin(), late.end());
    std::vector<double> kept;
    std::copy_if(values.begin(), values.end(), std::back_inserter(kept),
                 [&, floor = *low - (*high - *low)](double value) { return value >= floor; });
    return kept;
}

}  // namespace

std::string series::style() const { return of.fewer_epochs ? "less" : svg::style_of(index); }

std::string epoch_plot(const std::string& work, const std::vector<series>& all, epoch_value value) {
    double most = 0, epochs = 1;
    for (const auto& each : all)
        for (const auto& run : each.histories) {
            epochs = std::max(epochs, static_cast<double>(run.epochs.size()));
            for (const auto& epoch : run.epochs) most = std::max(most, value_of(epoch, value).value_or(0));
        }
    const bool is_accuracy = value == epoch_value::accuracy || value == epoch_value::training_accuracy;
    unit scale{0.01, value == epoch_value::accuracy ? "accuracy, %" : "accuracy in training, %"};
    if (value == epoch_value::flops) scale = flops_unit(most);
    if (value == epoch_value::seconds) scale = time_unit(most);

    std::vector<double> values, late;
    for (const auto& each : all)
        for (const auto& run : each.histories)
            for (const auto& point : points_of(std::span(&run, 1), value, 1 / scale.size)) {
                values.push_back(point.y);
                if (2 * point.x > static_cast<double>(run.epochs.size())) late.push_back(point.y);
            }
    std::string label = scale.name;
    if (is_accuracy) {
        const auto kept = without_start(values, late);
        if (kept.size() < values.size()) label += " (the first epochs are cut off)";
        values = kept;
    } else {
        label += " an epoch";
    }
    std::string description = is_accuracy ? "At the end, in percent:" : "In the last epoch:";
    for (const auto& each : all)
        if (const auto means = points_of(each.histories, value, 1 / scale.size); !means.empty())
            description += sentence(' ', each.of.name, ' ', format_fixed(means.back().y, 2), ';');

    svg::chart chart(
        {.title = sentence(work, ": ", label, ", by epoch"), .description = std::move(description)},
        {.label = "epoch", .low = 0.5, .high = epochs + 0.5, .whole = true},
        svg::axis_around(label, values, !is_accuracy));
    for (const auto& each : all)
        if (each.histories.size() > 1)
            for (const auto& run : each.histories)
                chart.line(points_of(std::span(&run, 1), value, 1 / scale.size), "thin " + each.style());
    for (const auto& each : all) chart.line(points_of(each.histories, value, 1 / scale.size), each.style());
    for (const auto& each : all)
        if (const auto means = points_of(each.histories, value, 1 / scale.size); !means.empty())
            chart.mark(means.back(), each.index, each.style(), each.of.name);
    return chart.text();
}

std::string cost_plot(const std::string& work, const std::vector<series>& all, cost axis_of_cost) {
    std::vector<const series*> shown;  // where times can be compared
    double most = 0;
    for (const auto& each : all) {
        const auto values = costs_of(each.of, axis_of_cost);
        if (values.empty()) continue;
        shown.push_back(&each);
        most = std::max(most, *std::max_element(values.begin(), values.end()));
    }
    std::vector<interval> costs, accuracies;
    const unit scale = axis_of_cost == cost::flops ? flops_unit(most) : time_unit(most);
    std::string description = "Accuracy in percent at what training took:";
    for (const auto* each : shown) {
        auto values = costs_of(each->of, axis_of_cost);
        for (double& value : values) value /= scale.size;
        costs.push_back(interval_of(values));
        accuracies.push_back(interval_of(each->of.accuracies));
        description += sentence(' ', each->of.name, ' ', text_of(accuracies.back(), false), " at ",
                                text_of(costs.back(), false), ';');
    }
    const std::string label =
        (axis_of_cost == cost::flops ? "training FLOPs, " : "training time, ") + scale.name;
    svg::chart chart(
        {.title = sentence(work, ": accuracy against ", label), .description = std::move(description)},
        svg::axis_around(label, ends_of(costs), true),
        svg::axis_around("accuracy, %", ends_of(accuracies), false));

    std::vector<svg::point> never;
    for (std::size_t i = 0; i < shown.size(); ++i)
        if (i == 0 || (shown[i]->of.fewer_epochs && shown[i]->of.runs.size() == shown[0]->of.runs.size()))
            never.push_back({costs[i].mean, accuracies[i].mean});
    std::sort(never.begin(), never.end(), [](const auto& a, const auto& b) { return a.x < b.x; });
    if (never.size() > 1) chart.line(never, "less");
    for (std::size_t i = 0; i < shown.size(); ++i)
        chart.error_bars({costs[i].mean, accuracies[i].mean}, {costs[i].half_width, accuracies[i].half_width},
                         shown[i]->style());
    for (std::size_t i = 0; i < shown.size(); ++i)
        chart.mark({costs[i].mean, accuracies[i].mean}, shown[i]->index, shown[i]->style(),
                   sentence(shown[i]->of.name, ": ", text_of(accuracies[i], false), " % at ",
                            text_of(costs[i], false), ' ', scale.name));
    return chart.text();
}

std::string frost_map(const std::string& title, const run_history& history) {
    svg::level_map map{.blocks = history.blocks, .epochs = history.epochs.size()};
    std::string description = sentence("Of ", history.blocks, " blocks, from the input on:");
    std::size_t frozen = 0, dropped = 0;  // wherever they lie; and leading ones
    for (std::size_t index = 0; index < history.epochs.size(); ++index) {
        const auto& epoch = history.epochs[index];
        for (std::size_t block = 0; block < history.blocks; ++block)
            map.at(block, index) = block < epoch.dropped ? 2 : block < epoch.frozen ? 1 : 0;
        for (const auto block : epoch.frozen_behind) map.at(block, index) = 1;
        const std::size_t frozen_now = epoch.frozen + epoch.frozen_behind.size();
        if (frozen_now == frozen && epoch.dropped == dropped) continue;
        frozen = frozen_now;
        dropped = epoch.dropped;
        description +=
            sentence(" in epoch ", index + 1, ", ", frozen, " frozen, ", dropped, " of them dropped;");
    }
    if (frozen == 0) description += " none frozen at the end.";
    return svg::block_map({.title = title + ": frost line", .description = std::move(description)}, map, "f",
                          1);
}

int score_scale::level_of(double score) const {
    const double place =
        logarithmic ? std::log(score / low) / std::log(high / low) : (score - low) / (high - low);
    return high > low ? std::clamp(static_cast<int>(place * score_levels), 0, score_levels - 1) : 0;
}

score_scale scale_of(const std::vector<series>& all, const std::string& scorer) {
    score_scale scale{.low = std::numeric_limits<double>::infinity(),
                      .high = -std::numeric_limits<double>::infinity()};
    for (const auto& each : all)
        for (const auto& run : each.histories)
            for (const auto& epoch : run.epochs)
                for (const auto& score : epoch.scores)
                    if (score && run.scorer == scorer) {
                        scale.low = std::min(scale.low, *score);
                        scale.high = std::max(scale.high, *score);
                    }
    scale.logarithmic = scale.low > 0;
    return scale;
}

std::string score_map(const std::string& title, const run_history& history, const score_scale& scale) {
    svg::level_map map{.blocks = history.blocks, .epochs = history.epochs.size()};
    for (std::size_t index = 0; index < history.epochs.size(); ++index)
        for (std::size_t block = 0; block < history.epochs[index].scores.size(); ++block)
            if (const auto& score = history.epochs[index].scores[block])
                map.at(block, index) = scale.level_of(*score);
    const int none = -1;
    return svg::block_map({.title = title + ": scores",
                           .description = sentence("By ", history.scorer, ", from ", scale.low, " (dark) to ",
                                                   scale.high, " (light); the lower, the more converged.")},
                          map, "h", none);
}
