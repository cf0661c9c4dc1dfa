// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/freeze/predicates.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// Learn&Drop, in our reading of Cruciata et al. (2024); the paper's exact formulas are not public to us.
///
/// Two questions are asked of each block, from the input on. Has it slowed down: is its score below a share
/// of its peak? And will it go on learning: how far would its weights still move, if they kept the pace of
/// this score over the learning rate that the schedule has left? The score times the rate left is that
/// distance, relative to the length of the weights. A block is converged when both are small now, and it was
/// slow at `patience` decisions so far; converged blocks freeze as a prefix, after a warm-up. A share of the
/// blocks at the output end stays active: they cost little, and adapt to what the frozen ones have become.
///
/// Patience is what keeps the accuracy: after two or three epochs noise dominates the scores and they are
/// flat, but the features go on improving for a while. VGG-11 on 15,000 images of Fashion-MNIST lost 1.5
/// points when it froze after the third epoch of six, 0.5 after the fourth of ten, and nothing after the
/// sixth. The slow decisions need not follow each other: one bad epoch made a run in a row start again, and
/// freeze too late to save anything.
///
/// Meant for scores by learning rate, such as weight_change.
struct learn_and_drop {
    static constexpr const char* scorer = "weight_change";

    double warm_up = 0.2;      ///< share of the run in which nothing freezes
    double below_peak = 0.6;   ///< slowed down: score < below_peak * its highest score
    double remaining = 0.035;  ///< done learning: score * learning rate left < remaining
    double keep_active = 0.3;  ///< share of the learning blocks, rounded up, that never freezes
    std::size_t patience = 3;  ///< decisions at which it must have been slow, now among them
    std::size_t at_most = 64;  ///< learning blocks that may freeze at one decision

    /// @throws argument_error for a share outside [0, 1]
    std::size_t operator()(const training_view& view) const {
        require<argument_error>(keep_active >= 0 && keep_active <= 1, "learn_and_drop: keep_active is ",
                                keep_active, ", expected a share from 0 to 1");
        const auto slowed_down = when::patience_in_all(patience, when::below_peak(below_peak));
        const auto done_learning = when::distance_left < remaining;
        return freeze_prefix(when::warm_up(warm_up) && when::keep_active(keep_active) &&
                             when::at_most(at_most) && slowed_down && done_learning)(view);
    }
};

}  // namespace frostline
