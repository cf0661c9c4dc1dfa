// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/sum.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"

#include <cmath>
#include <cstddef>
#include <optional>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// The cosine distance 1 - w.w' / (|w| |w'|) between a block's weights and those at the last decision: how
/// far their direction turned, whatever their length, which batch norm makes meaningless.
///
/// Against the weights at the start of the run it is layer rotation (Carbonnelle and De Vleeschouwer 2018,
/// arXiv 1806.01603), which grows and levels off: ask for its slope there.
class weight_cosine {
public:
    enum class since { last_decision, start };

    explicit weight_cosine(since when = since::last_decision)
        : observes{.previous_weights = when == since::last_decision,
                   .initial_weights = when == since::start} {}

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) const {
        if (view.steps == 0) return std::nullopt;
        const auto& before = observes.initial_weights ? view.initial_weights : view.previous_weights;
        const double now = length(view.weights), then = length(before);
        if (now == 0 || then == 0) return std::nullopt;
        // Half the squared distance of the unit vectors: 1 - cosine would cancel to nothing.
        const double squares = sum_of(before.size(), [&](std::size_t i) {
            const double turned =
                static_cast<double>(view.weights[i]) / now - static_cast<double>(before[i]) / then;
            return turned * turned;
        });
        return finite_score(squares / 2);
    }

    observations observes;

private:
    template <class T>
    static double length(std::span<const T> values) {
        return std::sqrt(sum_of(values.size(), [&](std::size_t i) {
            return static_cast<double>(values[i]) * static_cast<double>(values[i]);
        }));
    }
};

}  // namespace frostline
