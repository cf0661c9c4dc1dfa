// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/sum.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"

#include <cmath>
#include <cstddef>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// How much a block's gradient differs between two steps: |g(t) - g(t - 1)|_1, of the last two steps before
/// the decision.
///
/// GradES (Wen et al. 2025, arXiv 2509.01842; its first version watched |g(t)|_1), which decides at every
/// step. The sum grows with the size of the block, and so must a threshold.
struct gradient_delta {
    static constexpr observations observes{.gradient_pair = true};

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) const {
        if (view.previous_gradient.empty()) return std::nullopt;
        return finite_score(sum_of(view.gradient.size(), [&](std::size_t i) {
            return std::abs(static_cast<double>(view.gradient[i]) -
                            static_cast<double>(view.previous_gradient[i]));
        }));
    }
};

}  // namespace frostline
