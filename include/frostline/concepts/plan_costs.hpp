// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/isa.hpp"

#include <cstddef>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What the plan reckons with besides sizes: measured once a run, or taken from an earlier one.
struct plan_costs {
    std::vector<double> block_seconds{};  ///< forward in inference, by block of the network, for one sample
    std::vector<tier_costs> tiers{};      ///< by tier of the store
};

/// One way to run the frozen blocks over the epochs left, as the plan sees it.
struct drop_option {
    std::size_t dropped = 0;  ///< leading blocks of the network; 0: all frozen blocks run in each epoch
    std::size_t tiers = 0;    ///< the leading tiers of the store that are used
    double bytes = 0;         ///< that they then hold
    double share = 0;         ///< of the rows that fit there; the others are computed in each epoch
    double seconds = 0;       ///< expected, for the frozen blocks
};

}  // namespace frostline
