// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/observer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/report/peak_memory.hpp"
#include "frostline/report/text_table.hpp"
#include "frostline/report/units.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// An observer that keeps what happened in a run, for a table at its end. A run that starts anew empties it.
struct run_log {
    std::string policy;  ///< names the run
    run_started started{};
    std::vector<epoch_finished> epochs{};
    std::vector<frost_line_moved> moves{};
    std::optional<run_finished> finished{};
    std::optional<std::uint64_t> peak_memory{};  ///< bytes
    peak_memory_meter memory{};

    /// Starts measuring the run's peak memory, which resets the peak of the process.
    void operator()(const run_started& event) {
        auto before = event.step > 0 ? std::move(epochs) : std::vector<epoch_finished>();
        *this = run_log{std::move(policy), event};
        epochs = std::move(before);
        memory.start();
    }
    void operator()(const epoch_finished& event) { epochs.push_back(event); }
    void operator()(const frost_line_moved& event) { moves.push_back(event); }
    void operator()(const run_finished& event) {
        finished = event;
        peak_memory = memory.bytes();
    }

    /// For checkpoints: where the frost line stood in each epoch, which is all that the table shows of it.
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        std::vector<double> numbers;
        for (const auto& epoch : epochs) {
            for (const std::size_t number :
                 {epoch.epoch, epoch.frozen, epoch.dropped, epoch.frozen_behind.size()})
                numbers.push_back(static_cast<double>(number));
            numbers.insert(numbers.end(), epoch.frozen_behind.begin(), epoch.frozen_behind.end());
        }
        const auto before = numbers;
        visit("epochs", numbers);
        if (numbers == before) return;  // it was read, not set
        epochs.clear();
        for (std::size_t place = 0; place + 4 <= numbers.size();) {
            const auto next = [&] { return static_cast<std::size_t>(numbers[place++]); };
            auto& epoch = epochs.emplace_back();
            epoch.epoch = next();
            epoch.frozen = next();
            epoch.dropped = next();
            for (std::size_t left = next(); left > 0 && place < numbers.size(); --left)
                epoch.frozen_behind.push_back(next());
        }
    }
};

static_assert(observer<run_log>);

namespace detail {

/// What the plan made of the policy's wish, without its figures, which the record has.
inline std::string short_reason(const frost_line_moved& move) {
    const auto begin = move.reason.find("; ");
    const std::string plan = begin == std::string::npos ? move.reason : move.reason.substr(begin + 2);
    return plan.substr(0, plan.find(": "));
}

}  // namespace detail

/// Prints where the frost line stood in each epoch, one character a block from the input to the head; epochs
/// in a row that are alike share a line. Beyond 64 blocks a character stands for several. Where blocks were
/// frozen and none was dropped, a line below says why.
inline void print_frost_line(std::ostream& out, const run_log& run) {
    constexpr std::size_t most_characters = 64;
    const std::size_t blocks = run.started.blocks;
    const std::size_t group = std::max<std::size_t>(1, (blocks + most_characters - 1) / most_characters);
    text_table table;
    std::string reasons;
    for (auto first = run.epochs.begin(); first != run.epochs.end();) {
        const auto last = std::find_if(first, run.epochs.end(), [&](const epoch_finished& other) {
            return other.frozen != first->frozen || other.dropped != first->dropped ||
                   other.frozen_behind != first->frozen_behind;
        });
        const auto is_frozen = [&](std::size_t begin, std::size_t end) {
            for (std::size_t block = std::max(begin, first->frozen); block < end; ++block)
                if (!std::binary_search(first->frozen_behind.begin(), first->frozen_behind.end(), block))
                    return false;
            return true;
        };
        std::string strip;
        for (std::size_t begin = 0; begin < blocks; begin += group) {
            const std::size_t end = std::min(blocks, begin + group);
            strip += end <= first->dropped ? '.' : is_frozen(begin, end) ? '~' : '#';
        }
        std::string epochs = std::to_string(first->epoch);
        if (last - first > 1) epochs += "-" + std::to_string((last - 1)->epoch);
        table.row({"  epoch " + epochs, strip, "frozen " + std::to_string(first->frozen),
                   "dropped " + std::to_string(first->dropped)});
        // Made before the first of these epochs, so not by a decision in its midst.
        const auto move =
            std::find_if(run.moves.rbegin(), run.moves.rend(), [&](const frost_line_moved& made) {
                return made.step <= (first->epoch - 1) * run.started.steps_per_epoch;
            });
        if (first->frozen > 0 && first->dropped == 0 && move != run.moves.rend())
            reasons += "  epoch " + epochs + " dropped nothing: " + detail::short_reason(*move) + '\n';
        first = last;
    }
    out << "Frost line of " << run.policy << " over " << blocks << " blocks, input on the left:\n"
        << "  # learning  ~ frozen  . dropped";
    if (group > 1) out << "  (one character: " << group << " blocks)";
    out << '\n' << table << reasons;
}

/// Prints the results of runs side by side, one column a run. @throws argument_error if a run has not
/// finished
inline void print_results(std::ostream& out, std::span<const run_log* const> runs) {
    for (const auto* run : runs)
        require<argument_error>(run->finished.has_value(), "the run of ", run->policy, " has not finished");
    text_table table;
    const auto row = [&](const char* name, const auto& cell) {
        std::vector<std::string> cells{name};
        for (const auto* run : runs) cells.push_back(cell(*run->finished, *run));
        table.row(std::move(cells));
    };
    using finished = const run_finished&;
    using log = const run_log&;
    row("", [](finished, log run) { return run.policy; });
    row("epochs",
        [](finished end, log) { return std::to_string(end.epochs) + (end.stopped ? " (stopped)" : ""); });
    row("test accuracy", [](finished end, log) { return format_percent(end.test_accuracy); });
    row("training time", [](finished end, log) { return format_duration(end.seconds); });
    row("evaluation time", [](finished end, log) { return format_duration(end.evaluation_seconds); });
    row("forward", [](finished end, log) { return format_flops(end.forward_flops); });
    row("  saved", [](finished end, log) { return format_percent(end.forward_flops_saved()); });
    row("backward", [](finished end, log) { return format_flops(end.backward_flops); });
    row("forward + backward saved",
        [](finished end, log) { return format_percent(end.training_flops_saved()); });
    row("scoring", [](finished end, log) { return format_flops(end.scoring_flops); });
    row("peak memory",
        [](finished, log run) { return run.peak_memory ? format_bytes(*run.peak_memory) : "-"; });
    out << table;
}

/// Prints what a person wants to know at the end of one run. @throws argument_error if it has not finished
inline void print_summary(std::ostream& out, const run_log& run) {
    const run_log* const runs[] = {&run};
    print_results(out, runs);
    out << '\n';
    print_frost_line(out, run);
}

/// Prints a run `without` freezing beside one `with` it: results, ratios, and where the frost line stood
/// when.
/// @throws argument_error if one has not finished
inline void print_summary(std::ostream& out, const run_log& without, const run_log& with) {
    const run_log* const runs[] = {&without, &with};
    print_results(out, runs);

    text_table ratios;
    const std::string ratio = "  (" + without.policy + " / " + with.policy + ")";
    if (with.finished->seconds > 0)
        ratios.row({"training time ratio" + ratio,
                    format_fixed(without.finished->seconds / with.finished->seconds, 2)});
    if (without.peak_memory && with.peak_memory && *with.peak_memory > 0) {
        const auto before = static_cast<double>(*without.peak_memory),
                   after = static_cast<double>(*with.peak_memory);
        ratios.row({"peak memory ratio" + ratio, format_fixed(before / after, 2)});
    }
    if (without.finished->test_accuracy && with.finished->test_accuracy) {
        const double difference = *with.finished->test_accuracy - *without.finished->test_accuracy;
        const double points = std::round(1e4 * difference) / 100 + 0.0;  // and no negative zero
        ratios.row({"test accuracy difference  (" + with.policy + " - " + without.policy + ", points)",
                    (points > 0 ? "+" : "") + format_fixed(points, 2)});
    }
    out << '\n' << ratios << '\n';
    print_frost_line(out, with);
}

}  // namespace frostline
