// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/freeze/predicates.hpp"
#include "frostline/freeze/thawing.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// Egeria (Wang et al. 2023, arXiv 2201.06227), in our reading: the score is a block's plasticity, how
/// differently it and a reference network see which samples are alike. The front block freezes, one at a
/// decision, when its plasticity is flat: the slope of the least-squares line through `window` moving
/// averages of `window` scores each is, in size, below `tolerance` times the steepest so far, at `patience`
/// decisions in a row. Everything thaws when the learning rate has dropped `rate_drop`-fold; then it starts
/// anew.
///
/// The source compares with a snapshot of the network that it renews now and then; the scorer that this one
/// is meant for compares with the network at the last decision, so that its plasticity is a speed. A scorer
/// with an older reference, `similarity_preserving_loss:decisions=10`, comes closer to a distance. The source
/// halves patience after a thaw and sets its tolerance from the first scores; here one rule serves for both.
/// It decides every few steps: with a decision an epoch, a window of 10 needs as many epochs. Under a
/// schedule that falls to zero, as a cosine does, the last drop of the rate thaws what little was frozen by
/// then.
struct egeria {
    static constexpr const char* scorer = "similarity_preserving_loss";
    static constexpr bool thaws = true;

    std::size_t window = 10;
    double tolerance = 0.2;
    std::size_t patience = 3;
    double rate_drop = 10;

    frozen_blocks operator()(const training_view& view) const {
        const auto steepness = when::size_of(when::slope(when::smoothed(when::score, window), window));
        const auto flat = when::patience(patience, when::below_peak(tolerance, steepness));
        return thaw_on(when::rate_drops{rate_drop}, freeze_prefix(when::at_most(1) && flat))(view);
    }
};

}  // namespace frostline
