// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"

#include <cmath>
#include <cstddef>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// Parameter-change score: the relative L2 change of a block's weights since the last decision, divided by
/// the summed learning rate, |w - w'| / (|w'| sum(rate)), so that a decaying rate does not look like
/// convergence. The measure that Learn&Drop watches, in our reading (Cruciata et al. 2024).
struct weight_change {
    static constexpr observations observes{.previous_weights = true};

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) const {
        double change = 0, length = 0;
        for (std::size_t i = 0; i < view.weights.size(); ++i) {
            const double before = view.previous_weights[i];
            const double difference = view.weights[i] - before;
            change += difference * difference;
            length += before * before;
        }
        if (length == 0 || view.learning_rate_sum == 0) return std::nullopt;
        return std::sqrt(change / length) / view.learning_rate_sum;
    }
};

}  // namespace frostline
