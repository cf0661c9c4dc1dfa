// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/schedule.hpp"
#include "frostline/core/errors.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <numbers>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// The same rate throughout.
struct constant {
    double rate = 0.1;

    double operator()(const schedule_point&) const { return rate; }
};

/// Multiplies the rate by `factor` after every `every` epochs.
struct step_decay {
    double rate = 0.1;
    std::size_t every = 30;  ///< epochs
    double factor = 0.1;

    double operator()(const schedule_point& point) const {
        const std::size_t decays = point.epoch() / std::max<std::size_t>(1, every);
        return rate * std::pow(factor, static_cast<double>(decays));
    }
};

/// Half a cosine wave from `first` to `last`, for `share` in [0, 1].
inline double half_cosine(double first, double last, double share) {
    return last + (first - last) * 0.5 * (1 + std::cos(std::numbers::pi * share));
}

/// Falls along half a cosine wave to `final_rate`, which it would reach one step after the last (Loshchilov,
/// Hutter 2017, without restarts).
struct cosine {
    double rate = 0.1;
    double final_rate = 0;

    double operator()(const schedule_point& point) const {
        return half_cosine(rate, final_rate, point.progress());
    }
};

/// Rises along half a cosine wave from rate / start_divisor to `rate` over the share `rising` of the run, and
/// falls likewise to rate / start_divisor / final_divisor at the last step (Smith, Topin 2018, with PyTorch's
/// defaults). A run too short to rise starts at the peak.
struct one_cycle {
    double rate = 0.1;  ///< at the peak
    double rising = 0.3;
    double start_divisor = 25;
    double final_divisor = 1e4;

    double operator()(const schedule_point& point) const {
        const auto step = static_cast<double>(point.step);
        const double peak = std::max(0.0, rising * static_cast<double>(point.steps) - 1);
        if (step < peak) return half_cosine(rate / start_divisor, rate, step / peak);
        const double fall = static_cast<double>(point.steps) - 1 - peak;
        const double share = fall > 0 ? std::min(1.0, (step - peak) / fall) : 0.0;
        return half_cosine(rate, rate / start_divisor / final_divisor, share);
    }
};

/// Rises linearly to the first rate of `then` during the first `epochs`; `then` sees the rest of the run as
/// its whole (Goyal et al. 2017). The first step already learns.
template <schedule Then>
class warm_up {
public:
    /// @throws argument_error for a negative or non-finite number of epochs
    warm_up(Then then, double epochs) : then_(std::move(then)), epochs_(epochs) {
        require<argument_error>(std::isfinite(epochs) && epochs >= 0,
                                "warm_up: the number of epochs must be finite and not negative, found ",
                                epochs);
    }

    double operator()(const schedule_point& point) const {
        const double steps = std::round(epochs_ * static_cast<double>(point.steps_per_epoch));
        const auto rising = static_cast<std::size_t>(std::min(steps, 1e15));
        const std::size_t rest = point.steps > rising ? point.steps - rising : 1;
        if (point.step >= rising)
            return then_(schedule_point{point.step - rising, rest, point.steps_per_epoch});
        const double share = static_cast<double>(point.step + 1) / static_cast<double>(rising + 1);
        return share * then_(schedule_point{0, rest, point.steps_per_epoch});
    }

private:
    Then then_;
    double epochs_;
};

/// Holds the rate during each epoch: `inner` sees a run whose steps are epochs.
template <schedule Inner>
class per_epoch {
public:
    explicit per_epoch(Inner inner) : inner_(std::move(inner)) {}

    double operator()(const schedule_point& point) const {
        const std::size_t length = std::max<std::size_t>(1, point.steps_per_epoch);
        return inner_(schedule_point{point.epoch(), (point.steps + length - 1) / length, 1});
    }

private:
    Inner inner_;
};

/// Any schedule, for a choice made at run time.
using any_schedule = std::function<double(const schedule_point&)>;

}  // namespace frostline
