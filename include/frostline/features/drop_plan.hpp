// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/plan_costs.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/features/assumed_costs.hpp"

#include <algorithm>
#include <cstddef>
#include <iomanip>
#include <span>
#include <sstream>
#include <string>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What the plan decides on.
struct drop_situation {
    std::span<const block_costs> blocks;     ///< every block of the network, for one sample
    std::span<const std::size_t> row_bytes;  ///< by block: what the store takes for a row behind it
    std::span<const store_tier> tiers;       ///< of the store
    std::size_t samples = 0;                 ///< of the training set
    std::size_t views = 1;                   ///< after how many epochs the same images come again; 0: never
    std::size_t epochs_left = 0;             ///< that are still to run, the one that fills the store included
    std::size_t frozen = 0;                  ///< leading blocks frozen from now on
    std::size_t dropped = 0;                 ///< leading blocks whose outputs the store holds now
    std::size_t filled_views = 1;            ///< so many views of them
    std::size_t tiers_used = 0;              ///< so many tiers hold them
    bool grows = false;                      ///< whether what is stored can be advanced to a later cut
};

struct drop_decision {
    std::size_t dropped = 0;
    std::size_t tiers = 0;  ///< the leading tiers of the store that are used
    double share = 1;       ///< of the rows that fit there
    std::string reason{};   ///< one sentence
    std::vector<drop_option> options{};
};

namespace detail {

/// The arithmetic of the plan.
class drop_estimate {
public:
    drop_estimate(const drop_situation& now, const plan_costs& costs) : now_(now), costs_(costs) {
        until_.push_back(0);
        for (const double seconds : costs.block_seconds)
            until_.push_back(until_.back() + seconds * static_cast<double>(now.samples));
        for (std::size_t block = now.frozen; block < now.blocks.size(); ++block) {
            const double forward = now.blocks[block].forward_flops, backward = now.blocks[block].backward_flops;
            busy_ += run(block, block + 1) * (forward > 0 ? 1 + backward / forward : 2);
        }
    }

    /// @return an option of which no row is stored where the tiers have no room, or the last has nothing to
    /// do
    drop_option operator()(std::size_t cut, std::size_t tiers) const {
        const auto views = static_cast<double>(now_.views), epochs = static_cast<double>(now_.epochs_left);
        const double work = run(0, now_.frozen);
        if (cut == 0) return {.seconds = epochs * work};
        drop_option option{.dropped = cut, .tiers = tiers};
        const pass_times at = times_of(cut, tiers, option);
        if (option.share == 0) return option;
        const double missing = 1 - option.share;
        const double later = hidden(at.read + run(cut, now_.frozen) + missing * run(0, cut), at.read_ahead);

        // The views that are not stored come first, then, in their turn, those stored at the present cut.
        const double held = now_.dropped == 0 ? 0 : static_cast<double>(now_.filled_views);
        const double anew = std::min(epochs, std::max(0.0, views - held));
        double seconds = anew * (work + at.write);
        if (cut == now_.dropped) {
            option.seconds = seconds + (epochs - anew) * later;
            return option;
        }
        const double moved = std::min(epochs, views) - anew;
        if (now_.grows && now_.dropped > 0 && cut > now_.dropped) {
            drop_option present;
            const pass_times from = times_of(now_.dropped, now_.tiers_used, present);
            const double advancing =
                from.read + run(now_.dropped, now_.frozen) + (1 - present.share) * run(0, now_.dropped);
            seconds += moved * (hidden(advancing, from.read_ahead) + at.write);
        } else {
            seconds += moved * (work + at.write);
        }
        option.seconds = seconds + (epochs - anew - moved) * later;
        return option;
    }

private:
    struct pass_times {
        double read = 0, read_ahead = 0, write = 0;  // seconds an epoch
    };

    double run(std::size_t first, std::size_t last) const { return until_[last] - until_[first]; }

    // What is read ahead costs only what the network has to wait for it.
    double hidden(double work, double read_ahead) const {
        return work + std::max(0.0, read_ahead - work - busy_);
    }

    pass_times times_of(std::size_t cut, std::size_t tiers, drop_option& option) const {
        const auto row = static_cast<double>(now_.row_bytes[cut - 1]);
        const double total = row * static_cast<double>(now_.samples * now_.views);
        pass_times times;
        double left = total, last = 0;
        for (std::size_t tier = 0; tier < tiers; ++tier) {
            last = std::min(left, static_cast<double>(now_.tiers[tier].budget));
            left -= last;
            const double bytes = last / static_cast<double>(now_.views);
            (now_.tiers[tier].read_ahead ? times.read_ahead : times.read) +=
                bytes / costs_.tiers[tier].read_bytes_per_second;
            times.write += bytes / costs_.tiers[tier].write_bytes_per_second;
        }
        option.bytes = total - left;
        option.share = last == 0 || option.bytes < row ? 0 : option.bytes / total;
        return times;
    }

    const drop_situation& now_;
    const plan_costs& costs_;
    std::vector<double> until_;  // seconds an epoch of the blocks before each boundary
    double busy_ = 0;            // seconds an epoch of the blocks that learn
};

}  // namespace detail

/// Decides how many leading blocks to drop: the cut c <= frozen, and how many tiers of the store, with the
/// least expected time of the frozen blocks over the epochs left. Without a cut each epoch runs all of them.
/// With a new cut the first epoch over each view writes the outputs of block c - 1, which it computes from
/// the images, or from what is stored at an earlier cut; each later one reads them, computes those that had
/// no room, and runs the blocks [c, frozen). The present cut stays unless another is faster. A pure function.
/// @throws argument_error for more frozen blocks than there are, and for costs that do not fit
inline drop_decision plan_drop(const drop_situation& now, const plan_costs& costs) {
    require<argument_error>(now.frozen <= now.blocks.size() && now.row_bytes.size() == now.blocks.size(),
                            "plan_drop: found ", now.frozen, " frozen blocks and ", now.row_bytes.size(),
                            " sizes of rows, of ", now.blocks.size(), " blocks");
    if (now.frozen == 0) return {.reason = "no block is frozen"};
    if (now.views == 0)
        return {.reason = "the training set is augmented at random, so that no output comes twice"};

    check(costs, now.blocks.size(), now.tiers.size());
    const auto text = [](double value, double unit = 1) {
        std::ostringstream out;
        out << std::setprecision(3) << value / unit;
        return out.str();
    };
    const std::string span =
        sentence("over the ", now.epochs_left, now.epochs_left == 1 ? " epoch" : " epochs", " left");
    const auto outputs = [&](const drop_option& option) {
        return (option.share < 1 ? text(100 * option.share) + "% of " : std::string()) +
               (option.dropped == 1 ? std::string("the outputs of block 0")
                                    : sentence("the outputs of blocks 0 to ", option.dropped - 1));
    };

    const detail::drop_estimate estimate(now, costs);
    drop_decision decision{.options = {estimate(0, 0)}};
    auto& options = decision.options;
    std::size_t best = 0, best_stored = 0;
    for (std::size_t cut = 1; cut <= now.frozen; ++cut)
        for (std::size_t tiers = 1; tiers <= now.tiers.size(); ++tiers) {
            const bool present = cut == now.dropped && tiers == now.tiers_used;
            if (cut == now.dropped && !present) continue;
            const auto option = estimate(cut, tiers);
            if (option.share == 0) continue;
            options.push_back(option);
            const std::size_t here = options.size() - 1;
            const auto beats = [&](std::size_t other) {
                return option.seconds < options[other].seconds ||
                       (present && option.seconds == options[other].seconds);
            };
            if (beats(best)) best = here;
            if (best_stored == 0 || beats(best_stored)) best_stored = here;
        }

    const auto& chosen = options[best];
    decision.dropped = chosen.dropped;
    decision.tiers = chosen.tiers;
    if (best != 0) decision.share = chosen.share;
    double budget = 0;
    std::string places;
    for (std::size_t tier = 0; tier < (best == 0 ? now.tiers.size() : chosen.tiers); ++tier) {
        budget += static_cast<double>(now.tiers[tier].budget);
        places += (tier == 0 ? "" : " and ") + now.tiers[tier].name;
    }
    if (best_stored == 0) {
        const auto smallest = std::min_element(
            now.row_bytes.begin(), now.row_bytes.begin() + static_cast<std::ptrdiff_t>(now.frozen));
        decision.reason =
            sentence("no output fits the store: the smallest, behind block ",
                     smallest - now.row_bytes.begin(), ", takes ", *smallest, " bytes of ", text(budget));
    } else if (best == 0) {
        decision.reason = sentence("storing does not pay ", span, ": the frozen blocks need ",
                                   text(chosen.seconds), " s, and ", text(options[best_stored].seconds),
                                   " s with ", outputs(options[best_stored]), " stored");
    } else if (chosen.dropped == now.dropped) {
        decision.reason = sentence(outputs(chosen), " stay stored: no other cut is faster ", span);
    } else {
        decision.reason =
            sentence("storing ", outputs(chosen), " takes ", text(chosen.bytes, 1e6), " MB of ",
                     text(budget, 1e6), " MB in ", places, "; the frozen blocks then need ",
                     text(chosen.seconds), " s ", span, " instead of ", text(options[0].seconds), " s");
    }
    return decision;
}

}  // namespace frostline
