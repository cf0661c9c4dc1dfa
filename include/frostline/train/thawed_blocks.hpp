// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <cstddef>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Which blocks of a network do not learn.
struct frozen_range {
    std::size_t leading = 0;          ///< so many at the input end
    const std::vector<bool>& behind;  ///< others, by block of the network; empty: none

    bool contains(std::size_t block) const { return block < leading || (!behind.empty() && behind[block]); }
};

/// The momentum of the blocks that are frozen `before` and not `after` starts at zero.
template <class Optimiser>
void reset_thawed(Optimiser& optimiser, std::size_t blocks, const frozen_range& before,
                  const frozen_range& after) {
    for (std::size_t block = 0; block < blocks; ++block)
        if (before.contains(block) && !after.contains(block)) optimiser.reset(block, block + 1);
}

}  // namespace frostline
