// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

#include <functional>
#include <string>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A policy chosen at run time.
class any_policy {
public:
    template <freezing_policy Policy>
    any_policy(std::string name, Policy policy)
        : scorer(scorer_of(policy)), thaws(may_thaw(policy)), name_(std::move(name)) {
        if constexpr (sets_learning_rates<Policy>)
            rate_ = [policy](const rate_view& now) { return double(policy.learning_rate(now)); };
        start_ = [policy](const training_view& view) { return frozen_at_start(policy, view); };
        ask_ = std::move(policy);
    }

    const std::string& name() const { return name_; }
    frozen_blocks operator()(const training_view& view) const { return ask_(view); }
    frozen_blocks at_start(const training_view& view) const { return start_(view); }
    double learning_rate(const rate_view& now) const { return rate_ ? rate_(now) : now.rate; }

    std::string scorer;  ///< that the policy is meant for; empty where it uses no scores, or does not say
    bool thaws;

private:
    std::string name_;
    std::function<frozen_blocks(const training_view&)> ask_, start_;
    std::function<double(const rate_view&)> rate_;  // empty: the schedule's
};

}  // namespace frostline
