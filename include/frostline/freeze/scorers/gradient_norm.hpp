// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/sum.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"

#include <cmath>
#include <cstddef>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// The length |mean of g|_2 of a block's gradient g, averaged over the steps since the last decision, so that
/// the noise of single batches cancels. The plain measure with which the others can be compared; methods that
/// watch the gradient of single batches see mostly that noise.
struct gradient_norm {
    static constexpr observations observes{.gradient_sum = true};

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) const {
        if (view.steps == 0) return std::nullopt;
        const double squares = sum_of(view.gradient_sum.size(), [&](std::size_t i) {
            return static_cast<double>(view.gradient_sum[i]) * static_cast<double>(view.gradient_sum[i]);
        });
        return finite_score(std::sqrt(squares) / static_cast<double>(view.steps));
    }
};

}  // namespace frostline
