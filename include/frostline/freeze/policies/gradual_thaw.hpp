// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/freeze/fixed_share.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// Gradual unfreezing (Howard, Ruder 2018, arXiv 1801.06146): only the head learns up to `start`; from there
/// to `end`, both in shares of the run, blocks thaw one by one from the head towards the input, until the
/// share `share` of those that can freeze has thawed. For networks that begin with trained weights; a smaller
/// share leaves the first blocks as they are, dropped for the whole run.
struct gradual_thaw {
    static constexpr bool thaws = true;

    double start = 0.1;
    double end = 0.5;
    double share = 1.0;

    /// @throws argument_error for a share outside [0, 1], or an end before the start
    std::size_t operator()(const training_view& view) const {
        require<argument_error>(share >= 0 && share <= 1, "gradual_thaw: share is ", share,
                                ", expected a share from 0 to 1");
        // A hair more, so that a share that should be whole is not rounded down.
        const double thawed =
            share * progress_between(view, start, end) * static_cast<double>(view.last_freezable) + 1e-9;
        return view.last_freezable - static_cast<std::size_t>(thawed);
    }

    frozen_blocks at_start(const training_view& view) const { return (*this)(view); }
};

}  // namespace frostline
