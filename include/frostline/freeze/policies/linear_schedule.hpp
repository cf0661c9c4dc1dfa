// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/freeze/fixed_share.hpp"

namespace frostline::inline FROSTLINE_ISA {

/// A fixed schedule without scores: the share of freezable blocks that is frozen grows linearly from none at
/// `start` to `share` at `end`, all in shares of the run (the layer freezing of MosaicML's Composer).
struct linear_schedule {
    double start = 0.5;
    double end = 1.0;
    double share = 1.0;

    /// @throws argument_error where the end is before the start, and for a share outside [0, 1]
    std::size_t operator()(const training_view& view) const {
        return freeze_share(view, share * progress_between(view, start, end));
    }

    /// Freezes nothing, but refuses at once what would be refused later. @throws argument_error as above
    frozen_blocks at_start(const training_view& view) const {
        progress_between(view, start, end);
        freeze_share(view, share);
        return {};
    }
};

}  // namespace frostline
