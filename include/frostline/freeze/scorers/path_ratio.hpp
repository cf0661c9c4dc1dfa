// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/sum.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"

#include <cmath>
#include <cstddef>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// How straight a block's weights moved since the last decision: |w(t) - w(t - W)| / sum |w(s + 1) - w(s)|,
/// with W the steps between two decisions. 1 is a straight line; a block that only jitters stays near 0.
///
/// The windowed effective perturbation of Chen et al. (Communication-Efficient Federated Learning with
/// Adaptive Parameter Freezing, ICDCS 2021), of whole blocks. The sum is estimated from every n-th step.
class path_ratio {
public:
    explicit path_ratio(std::size_t every = 8) : observes{.previous_weights = true, .path_every = every} {}

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) const {
        if (view.path_length == 0) return std::nullopt;
        const auto& before = view.previous_weights;
        const double squares = sum_of(before.size(), [&](std::size_t i) {
            const double moved = static_cast<double>(view.weights[i]) - static_cast<double>(before[i]);
            return moved * moved;
        });
        return finite_score(std::sqrt(squares) / view.path_length);
    }

    observations observes;
};

}  // namespace frostline
