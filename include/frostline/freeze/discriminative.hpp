// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/core/errors.hpp"

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A policy with discriminative learning rates (Howard, Ruder 2018, arXiv 1801.06146): the head learns at the
/// rate of the schedule, or of `inner` where that sets rates, and each learning block before it at `decay`
/// times the rate of the next. Trained weights near the input, which serve any task, move least. Freezes what
/// `inner` freezes.
template <freezing_policy Inner>
class discriminative {
public:
    std::string scorer;
    bool thaws;

    /// @throws argument_error for a decay outside [0, 1]
    discriminative(Inner inner, double decay)
        : scorer(scorer_of(inner)), thaws(may_thaw(inner)), inner_(std::move(inner)), decay_(decay) {
        require<argument_error>(decay >= 0 && decay <= 1,
                                "the decay of the learning rate from block to block is ", decay,
                                ", expected a number from 0 to 1");
    }

    frozen_blocks operator()(const training_view& view) const { return inner_(view); }
    frozen_blocks at_start(const training_view& view) const { return frozen_at_start(inner_, view); }

    double learning_rate(const rate_view& now) const {
        double rate = now.rate;
        if constexpr (sets_learning_rates<Inner>) rate = inner_.learning_rate(now);
        return rate * std::pow(decay_, static_cast<double>(now.blocks - 1 - now.block));
    }

private:
    Inner inner_;
    double decay_;
};

}  // namespace frostline
