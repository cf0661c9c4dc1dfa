// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/freeze/predicates.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// AutoFreeze (Liu, Agarwal, Venkataraman 2021, arXiv 2102.01386): a block freezes when all before it are
/// frozen and the relative change of its gradients' size is below the `percentile`-th percentile of those of
/// all active blocks, the head left out. At the median about half of the rest may freeze at once, so decide
/// seldom: the source decides 20 times in 4 epochs of fine-tuning.
struct auto_freeze {
    static constexpr const char* scorer = "gradient_change";

    double percentile = 50;

    std::size_t operator()(const training_view& view) const {
        return freeze_prefix(when::percentile(percentile))(view);
    }
};

}  // namespace frostline
