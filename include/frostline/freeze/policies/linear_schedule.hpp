// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

#include <algorithm>

namespace frostline::inline FROSTLINE_ISA {

/// A fixed schedule without scores: the share of freezable blocks that is frozen grows linearly from none at
/// `start` to `share` at `end`, all in shares of the run (the layer freezing of MosaicML's Composer).
struct linear_schedule {
    double start = 0.5;
    double end = 1.0;
    double share = 1.0;

    std::size_t operator()(const training_view& view) const {
        const double position = view.progress();
        const double progress = end > start ? std::clamp((position - start) / (end - start), 0.0, 1.0)
                                            : static_cast<double>(position >= start);
        // A hair more, so that a share that should be whole is not rounded down to the block before.
        const double wanted = share * progress * static_cast<double>(view.last_freezable) + 1e-9;
        return std::max(view.frozen, static_cast<std::size_t>(wanted));
    }
};

}  // namespace frostline
