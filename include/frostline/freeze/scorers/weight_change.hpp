// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/sum.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"

#include <cmath>
#include <cstddef>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// How the change between two states w' and w of a block is measured.
enum class change_measure {
    relative_l2,  ///< |w - w'|_2 / |w'|_2
    mean_l1,      ///< |w - w'|_1 / number of weights
    raw_l1        ///< |w - w'|_1
};

/// How far a block's weights moved since the last decision; divided by the summed learning rate, so that a
/// decaying rate does not look like convergence, unless told otherwise.
///
/// The measure that Learn&Drop watches, in our reading (Cruciata et al. 2024, arXiv 2604.23403), is the
/// relative one, |w - w'| / (|w'| sum(rate)).
struct weight_change {
    static constexpr observations observes{.previous_weights = true};

    change_measure measure = change_measure::relative_l2;
    bool per_learning_rate = true;

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) const {
        if (per_learning_rate ? view.learning_rate_sum == 0 : view.steps == 0) return std::nullopt;
        return finite_score(change(view) / (per_learning_rate ? view.learning_rate_sum : 1));
    }

private:
    // Not a number where there is nothing to divide by.
    template <class T>
    double change(const block_view<T>& view) const {
        const auto& before = view.previous_weights;
        const auto moved = [&](std::size_t i) { return static_cast<double>(view.weights[i]) - before[i]; };
        if (measure == change_measure::relative_l2) {
            const double squares = sum_of(before.size(), [&](std::size_t i) { return moved(i) * moved(i); });
            const double length = sum_of(before.size(), [&](std::size_t i) {
                return static_cast<double>(before[i]) * static_cast<double>(before[i]);
            });
            return std::sqrt(squares / length);
        }
        const double sum = sum_of(before.size(), [&](std::size_t i) { return std::abs(moved(i)); });
        return measure == change_measure::raw_l1 ? sum : sum / static_cast<double>(view.parameters);
    }
};

}  // namespace frostline
