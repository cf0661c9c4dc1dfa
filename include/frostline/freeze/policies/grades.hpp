// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/freeze/predicates.hpp"

namespace frostline::inline FROSTLINE_ISA {

/// GradES (Wen et al. 2025, arXiv 2509.01842): after the grace period, the share `grace` of the run, each
/// block freezes for good once its gradients hardly differ from one step to the next, wherever it lies.
/// Behind blocks that learn it spares its weight gradients and its update only.
///
/// The source compares with a threshold that it tunes for each model, since the score grows with the size of
/// a matrix; set `threshold` for that. By default each block is measured by its own highest score instead.
struct grades {
    static constexpr const char* scorer = "gradient_delta";

    double grace = 0.5;       ///< ours: the source sets it for each model
    double below_peak = 0.2;  ///< ours: freezes below this share of the block's highest score
    double threshold = 0;     ///< the source's: freezes below it, too

    frozen_blocks operator()(const training_view& view) const {
        return freeze_each(when::warm_up(grace) &&
                           (when::below(threshold) || when::below_peak(below_peak)))(view);
    }
};

}  // namespace frostline
