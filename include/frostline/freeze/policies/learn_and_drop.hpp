// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/freeze/fixed_share.hpp"
#include "frostline/freeze/predicates.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// Learn&Drop, in our reading of Cruciata et al. (2024); the paper's exact formulas are not public to us.
///
/// Two questions are asked of each block, from the input on. Has it slowed down: is its score below a share
/// of its peak? And will it go on learning: how far would its weights still move, if they kept the pace of
/// this score over the learning rate that the schedule has left? The score times the rate left is that
/// distance; it is taken as a share of the distance that the block has gone since the start. A block is
/// converged when both are small now, and it was slow at `patience` decisions so far; converged blocks freeze
/// as a prefix, after a warm-up, and not all at once. In the end all do but the head: with a second block
/// kept active, ResNet-18 lost no less and VGG-11 a tenth of a point, and ResNet-18 saved 5 points less of
/// its training FLOPs.
///
/// Both say that a block has come to rest, not that it has learned anything: those of a ResNet-152 that still
/// guesses slow down, too. So the warm-up lasts until the training loss tells that the network learns, but no
/// longer than a share of the run, since some data leave every loss high. Below ln 2 = 0.69 the right label
/// is likelier than all others together, by the geometric mean.
///
/// Where that share of the run is over blocks are due, one after the other at an even pace, until the
/// deadline finds all frozen, converged or not: a run is to take less than half of its time on data that stay
/// hard, too, and a block that goes on changing would hold up all behind it. Due blocks do not freeze all at
/// once either, so that a run of few decisions ends later. A deadline before that share finds all due at
/// once. A block without a score is never due. Where something thawed, all shares of the run count from
/// there.
///
/// The distance left is not taken relative to the length of the weights: that grows with the number of steps
/// in an epoch, as the distance gone does, so that what froze half-way on 10,000 images froze after seven
/// epochs of ten on 60,000, and saved 1% of the FLOPs. What else was tried, and what this one is worth beside
/// other policies, stands in docs/results/policies.md.
///
/// Meant for scores by learning rate, such as weight_change.
struct learn_and_drop {
    static constexpr const char* scorer = "weight_change";

    double warm_up = 0.05;        ///< share of the run in which nothing freezes
    double warm_up_loss = 0.7;    ///< nor before the training loss is below this,
    double warm_up_most = 0.35;   ///< or this share of the run is over; then blocks are due,
    double deadline = 0.45;       ///< at an even pace until this share; above 1: none is due
    double below_peak = 1;        ///< slowed down: score < below_peak * its highest score
    double remaining = 0.6;       ///< done learning: the way left < remaining * the way gone
    std::size_t keep_active = 1;  ///< learning blocks at the output end that never freeze
    std::size_t patience = 1;     ///< decisions at which it must have been slow, now among them
    double at_most = 0.2;  ///< share of the learning blocks, rounded up, that may freeze at one decision,
                           ///< due or not
    /// Share of the learning blocks, rounded down, that is frozen before the first step, but for those that
    /// keep_active keeps: for networks that begin with trained weights.
    double from_start = 0;

    /// @throws argument_error for a share outside [0, 1], or a deadline that is negative
    std::size_t operator()(const training_view& view) const {
        require_share("at_most", at_most);
        require<argument_error>(deadline >= 0, "learn_and_drop: deadline is ", deadline,
                                ", expected a share of the run, or more than 1 for none");
        const auto blocks_at_most =
            static_cast<std::size_t>(std::ceil(at_most * static_cast<double>(view.blocks)));
        const auto may_freeze = when::warm_up(view.began + warm_up) && when::keep_active(keep_active) &&
                                when::at_most(blocks_at_most);
        const auto learns = when::train_loss < warm_up_loss || when::warm_up(view.began + warm_up_most);
        const auto slowed_down = when::patience_in_all(patience, when::below_peak(below_peak));
        const auto done_learning = when::share_left < remaining;
        const std::size_t converged =
            freeze_prefix(may_freeze && learns && slowed_down && done_learning)(view);
        const auto is_due = [blocks = due(view)](const training_view& now, std::size_t block,
                                                 std::size_t decision) {
            return block < blocks && now.scores[decision][block].has_value();
        };
        return std::max(converged, freeze_prefix(may_freeze && is_due)(view));
    }

    /// @throws argument_error where from_start is no share
    frozen_blocks at_start(const training_view& view) const {
        require_share("from_start", from_start);
        return share_of_blocks(from_start, view);
    }

private:
    std::size_t due(const training_view& view) const {
        if (deadline > 1) return 0;
        return share_of_blocks(
            progress_between(view, view.began + std::min(warm_up_most, deadline), view.began + deadline),
            view);
    }

    /// Rounded down, without those that keep_active keeps.
    std::size_t share_of_blocks(double share, const training_view& view) const {
        const auto blocks = static_cast<double>(view.blocks);
        // A hair more, so that a share that should be whole is not rounded down to the block before.
        return static_cast<std::size_t>(std::min(
            share * blocks + 1e-9, blocks - static_cast<double>(std::min(keep_active, view.blocks))));
    }

    static void require_share(const char* name, double value) {
        require<argument_error>(value >= 0 && value <= 1, "learn_and_drop: ", name, " is ", value,
                                ", expected a share from 0 to 1");
    }
};

}  // namespace frostline
