// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// Learn&Drop, in our reading of Cruciata et al. (2024); the paper's exact formulas are not public to us.
///
/// Two questions are asked of each block, from the input on. Has it slowed down: is its score below a share of its
/// peak? And will it go on learning: does the score still fall, by the slope of its logarithm over the last
/// decisions? A block that has slowed down and whose score is flat for `patience` decisions in a row is converged;
/// converged blocks freeze as a prefix, a few a decision, after a warm-up.
struct learn_and_drop {
    double warm_up = 0.3;          ///< share of the run in which nothing freezes
    double below_peak = 0.5;       ///< slowed down: score < below_peak * its highest score
    double flat = 0.25;            ///< flat: the score falls by less than this share a decision
    std::size_t window = 3;        ///< decisions over which the slope is fitted
    std::size_t patience = 1;      ///< decisions in a row for which both must hold
    std::size_t at_most = 2;       ///< learning blocks that may freeze at one decision

    std::size_t operator()(const training_view& view) const {
        if (static_cast<double>(view.epoch) < warm_up * static_cast<double>(view.epochs)) return view.frozen;
        const std::size_t limit = std::min(view.last_freezable, view.frozen + at_most);
        std::size_t boundary = view.frozen;
        while (boundary < limit && converged(view, boundary)) ++boundary;
        return boundary;
    }

private:
    bool converged(const training_view& view, std::size_t block) const {
        const std::size_t decisions = view.scores.size();
        if (decisions < patience) return false;
        for (std::size_t back = 0; back < patience; ++back)
            if (!slow_and_flat(view, block, decisions - back)) return false;
        return true;
    }

    // Judges the block by the first `decisions` decisions.
    bool slow_and_flat(const training_view& view, std::size_t block, std::size_t decisions) const {
        if (decisions < window || window < 2) return false;
        double peak = 0;
        for (std::size_t i = 0; i < decisions; ++i) peak = std::max(peak, view.scores[i][block].value_or(0));
        // Least squares of log(score) against the number of the decision.
        double covariance = 0, variance = 0, last = 0;
        for (std::size_t i = 0; i < window; ++i) {
            const std::optional<double>& score = view.scores[decisions - window + i][block];
            if (!score) return false;
            const double position = static_cast<double>(i) - 0.5 * static_cast<double>(window - 1);
            covariance += position * std::log(std::max(*score, 1e-300));
            variance += position * position;
            last = *score;
        }
        return last < below_peak * peak && covariance / variance > std::log1p(-flat);
    }
};

}  // namespace frostline
