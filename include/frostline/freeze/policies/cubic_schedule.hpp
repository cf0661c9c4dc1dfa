// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/freeze/fixed_share.hpp"

namespace frostline::inline FROSTLINE_ISA {

/// A fixed schedule without scores: the share of freezable blocks that is frozen is
/// `share` (1 - (1 - p)^3), with p from 0 at `start` to 1 at `end`, both in shares of the run. Many blocks
/// freeze early and the last ones late: the schedule of gradual pruning (Zhu, Gupta 2017, arXiv 1710.01878),
/// for blocks instead of weights.
struct cubic_schedule {
    double start = 0.2;
    double end = 1.0;
    double share = 1.0;

    /// @throws argument_error where the end is before the start, and for a share outside [0, 1]
    std::size_t operator()(const training_view& view) const {
        const double left = 1 - progress_between(view, start, end);
        return freeze_share(view, share * (1 - left * left * left));
    }

    /// Freezes nothing, but refuses at once what would be refused later. @throws argument_error as above
    frozen_blocks at_start(const training_view& view) const {
        progress_between(view, start, end);
        freeze_share(view, share);
        return {};
    }
};

}  // namespace frostline
