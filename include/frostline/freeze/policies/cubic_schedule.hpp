// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

#include <algorithm>

namespace frostline::inline FROSTLINE_ISA {

/// A fixed schedule without scores: the share of freezable blocks that is frozen is
/// `share` (1 - (1 - p)^3), with p from 0 at `start` to 1 at `end`, both in shares of the run. Many blocks
/// freeze early and the last ones late: the schedule of gradual pruning (Zhu, Gupta 2017, arXiv 1710.01878),
/// for blocks instead of weights.
struct cubic_schedule {
    double start = 0.2;
    double end = 1.0;
    double share = 1.0;

    std::size_t operator()(const training_view& view) const {
        const double position = view.progress();
        const double left = end > start ? std::clamp((end - position) / (end - start), 0.0, 1.0)
                                        : static_cast<double>(position < start);
        // A hair more, so that a share that should be whole is not rounded down to the block before.
        const double wanted =
            share * (1 - left * left * left) * static_cast<double>(view.last_freezable) + 1e-9;
        return std::max(view.frozen, static_cast<std::size_t>(wanted));
    }
};

}  // namespace frostline
