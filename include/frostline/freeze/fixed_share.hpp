// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/core/errors.hpp"

#include <algorithm>
#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// How far a run is on its way from `start` to `end`, both in shares of the run: from 0 to 1. A way of no
/// length is a step. @throws argument_error where the end is before the start
inline double progress_between(const training_view& view, double start, double end) {
    require<argument_error>(start <= end, "a schedule ends at ", end, " of the run, before it starts at ",
                            start);
    const double position = view.progress();
    return end > start ? std::clamp((position - start) / (end - start), 0.0, 1.0)
                       : static_cast<double>(position >= start);
}

/// Freezes this share of the freezable blocks, rounded down; what is frozen stays so.
/// @throws argument_error for a share outside [0, 1]
inline std::size_t freeze_share(const training_view& view, double share) {
    require<argument_error>(share >= 0 && share <= 1, "a schedule freezes the share ", share,
                            " of the blocks, expected one from 0 to 1");
    // A hair more, so that a share that should be whole is not rounded down to the block before.
    const double wanted = share * static_cast<double>(view.last_freezable) + 1e-9;
    return std::max(view.frozen, static_cast<std::size_t>(wanted));
}

}  // namespace frostline
