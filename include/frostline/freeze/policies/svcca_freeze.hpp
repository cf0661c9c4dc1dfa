// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/freeze/predicates.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// Freeze training by SVCCA (Raghu, Gilmer, Yosinski, Sohl-Dickstein 2017, arXiv 1706.05806): blocks converge
/// from the input on, so each freezes once its outputs on a probe batch, up to an affine map, hardly differ
/// from those of the decision before. The source reads the times off such curves by eye and freezes at even
/// intervals, which is linear_schedule with start 0; the threshold is ours.
struct svcca_freeze {
    static constexpr const char* scorer = "svcca";

    double threshold = 0.05;   ///< highest 1 - mean correlation
    std::size_t patience = 2;  ///< decisions in a row

    std::size_t operator()(const training_view& view) const {
        return freeze_prefix(when::patience(patience, when::below(threshold)))(view);
    }
};

}  // namespace frostline
