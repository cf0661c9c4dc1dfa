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

/// The mean over the weights of a block of smoothed sensitivity times smoothed uncertainty:
/// I = |g|,  I' = b1 I' + (1 - b1) I,  U = |I - I'|,  U' = b2 U' + (1 - b2) U,  score = mean(I' U'),
/// with g the gradient averaged over the steps since the last decision. Both averages are divided by
/// 1 - b^n after n decisions, the sum of their weights: a run has few decisions, over most of which they
/// would still rise from zero. Absent at the first decision, from which nothing deviates.
///
/// AFLoRA (Liu et al. 2024, arXiv 2403.13269), with its smoothing, which takes the gradient of every step and
/// so needs no such division. Remembers two numbers a weight.
class sensitivity_uncertainty {
public:
    static constexpr observations observes{.gradient_sum = true};

    /// @throws argument_error for a smoothing outside [0, 1]
    explicit sensitivity_uncertainty(double sensitivity_smoothing = 0.85, double uncertainty_smoothing = 0.95)
        : b1_(sensitivity_smoothing), b2_(uncertainty_smoothing) {
        for (const double smoothing : {b1_, b2_})
            require<argument_error>(smoothing >= 0 && smoothing <= 1,
                                    "sensitivity_uncertainty: a smoothing is ", smoothing,
                                    ", expected a share from 0 to 1");
    }

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) {
        if (view.steps == 0) return std::nullopt;
        const std::size_t size = view.gradient_sum.size();
        const auto values = memory_.at(view, 2 * size + 1).values;
        const auto sensitivity = values.first(size), uncertainty = values.subspan(size, size);
        double& decisions = values.back();
        ++decisions;
        const double of_sensitivity = sum_of_weights(b1_, decisions),
                     of_uncertainty = sum_of_weights(b2_, decisions);
        double sum = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const double now =
                std::abs(static_cast<double>(view.gradient_sum[i])) / static_cast<double>(view.steps);
            sensitivity[i] = b1_ * sensitivity[i] + (1 - b1_) * now;
            const double usual = sensitivity[i] / of_sensitivity;
            uncertainty[i] = b2_ * uncertainty[i] + (1 - b2_) * std::abs(now - usual);
            sum += usual * uncertainty[i] / of_uncertainty;
        }
        if (decisions < 2) return std::nullopt;
        return finite_score(sum / static_cast<double>(view.parameters));
    }

    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        memory_.for_each_state(visit);
    }

private:
    // 1 where nothing is taken in, so that the average of nothing is zero.
    static double sum_of_weights(double smoothing, double decisions) {
        return smoothing == 1 ? 1 : 1 - std::pow(smoothing, decisions);
    }

    double b1_, b2_;
    block_memory memory_;
};

}  // namespace frostline
