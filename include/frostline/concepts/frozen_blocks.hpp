// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Which learning blocks are frozen: the first so many, and perhaps others behind them. A number of leading
/// blocks converts to it.
///
/// Only the leading ones can be dropped, and spare their whole backward pass. A block that is frozen behind a
/// learning one spares its weight gradients and its update; its forward pass and its input's gradient are
/// still computed, for the blocks before it.
class frozen_blocks {
public:
    frozen_blocks(std::size_t leading = 0) : leading_(leading) {}

    /// Freezes one more. @return this, to go on
    frozen_blocks& insert(std::size_t block) {
        if (contains(block)) return *this;
        behind_.insert(std::lower_bound(behind_.begin(), behind_.end(), block), block);
        auto next = behind_.begin();
        while (next != behind_.end() && *next == leading_) ++next, ++leading_;
        behind_.erase(behind_.begin(), next);
        return *this;
    }

    /// Number of leading blocks that are all frozen.
    std::size_t leading() const { return leading_; }
    /// The others, ascending; block leading() is never among them.
    std::span<const std::size_t> behind() const { return behind_; }

    bool contains(std::size_t block) const {
        return block < leading_ || std::binary_search(behind_.begin(), behind_.end(), block);
    }

    /// For checkpoints.
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit("leading", leading_);
        visit("behind", behind_);
    }

    bool operator==(const frozen_blocks&) const = default;

private:
    std::size_t leading_;
    std::vector<std::size_t> behind_;
};

}  // namespace frostline
