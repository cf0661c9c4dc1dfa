// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/freeze/block_memory.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"

#include <cmath>
#include <cstddef>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// Whether a block's weights still go somewhere, or to and fro: |EMA of d|_1 / EMA of |d|_1, with d the
/// change of the weights between two decisions and EMA' = smoothing * EMA + (1 - smoothing) * d. From 1 to 0.
///
/// Adaptive Parameter Freezing (Chen et al., Communication-Efficient Federated Learning with Adaptive
/// Parameter Freezing, ICDCS 2021), which asks it of each weight; this is the mean over the weights of a
/// block, each counted by how much it moved. Remembers two numbers a weight; one change has no direction to
/// keep, so there is no score before the second.
class effective_perturbation {
public:
    static constexpr observations observes{.previous_weights = true};

    /// @throws argument_error for a smoothing outside [0, 1]
    explicit effective_perturbation(double smoothing = 0.99) : smoothing_(smoothing) {
        require<argument_error>(smoothing >= 0 && smoothing <= 1, "effective_perturbation: smoothing is ",
                                smoothing, ", expected a share from 0 to 1");
    }

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) {
        if (view.steps == 0) return std::nullopt;
        const std::size_t size = view.previous_weights.size();
        const auto [values, fresh] = memory_.at(view, 2 * size);
        const auto average = values.first(size), average_size = values.last(size);
        double straight = 0, moved = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const double change =
                static_cast<double>(view.weights[i]) - static_cast<double>(view.previous_weights[i]);
            average[i] = smoothing_ * average[i] + (1 - smoothing_) * change;
            average_size[i] = smoothing_ * average_size[i] + (1 - smoothing_) * std::abs(change);
            straight += std::abs(average[i]);
            moved += average_size[i];
        }
        return fresh ? std::nullopt : finite_score(straight / moved);
    }

    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        memory_.for_each_state(visit);
    }

private:
    double smoothing_;
    block_memory memory_;
};

}  // namespace frostline
