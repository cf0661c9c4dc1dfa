// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/observer.hpp"
#include "frostline/core/errors.hpp"

#include <cmath>
#include <cstddef>
#include <stop_token>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// An observer that ends a run which no longer improves: after `patience` epochs in which the validation
/// accuracy was never more than `min_delta` above the best before them. Without validation it watches the
/// mean training loss, which has to fall. Once there was a validation, epochs that skip it do not count as
/// worse, but count for patience as soon as the next one is no better. A loss that is not a number is never
/// an improvement.
///
/// The run gets the token of the same source. One object for one run.
class early_stopping {
public:
    /// @param min_delta accuracy as a share (0.001 is a tenth of a point), or loss
    /// @throws argument_error if `patience` is 0 or `min_delta` is negative or not finite
    explicit early_stopping(std::stop_source source, std::size_t patience, double min_delta = 0)
        : source_(std::move(source)), patience_(patience), min_delta_(min_delta) {
        require<argument_error>(patience >= 1,
                                "the patience of early stopping must be at least 1 epoch, found 0");
        require<argument_error>(std::isfinite(min_delta) && min_delta >= 0,
                                "min_delta of early stopping must be at least 0, found ", min_delta);
    }

    void operator()(const epoch_finished& event) {
        const bool validated = event.validation_accuracy.has_value();
        if (!validated && state_[has_validation] != 0) return;
        const double value = validated ? *event.validation_accuracy : -event.train_loss;
        const bool first = state_[has_best] == 0 || (validated && state_[has_validation] == 0);
        const auto epoch = static_cast<double>(event.epoch);
        if (first ? !std::isnan(value) : value > state_[best] + min_delta_) {
            state_ = {1.0, validated ? 1.0 : 0.0, value, epoch};
        } else if (epoch - state_[best_epoch] >= static_cast<double>(patience_)) {
            source_.request_stop();
        }
    }

    /// For checkpoints: visit(name, std::vector<double>&).
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit("early_stopping", state_);
    }

private:
    enum field { has_best, has_validation, best, best_epoch };

    std::stop_source source_;
    std::size_t patience_;
    double min_delta_;
    std::vector<double> state_ = std::vector<double>(4, 0.0);  // by field
};

}  // namespace frostline
