// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// Where a run stands before a step.
struct schedule_point {
    std::size_t step = 0;   ///< steps finished, of the whole run
    std::size_t steps = 1;  ///< steps of the whole run
    std::size_t steps_per_epoch = 1;

    std::size_t epoch() const { return step / std::max<std::size_t>(1, steps_per_epoch); }

    /// Share of the run that is finished, in [0, 1].
    double progress() const {
        return step >= steps ? (steps == 0 ? 0.0 : 1.0)
                             : static_cast<double>(step) / static_cast<double>(steps);
    }
};

/// A schedule: the learning rate of each step.
///
/// Requirements on a type `S`:
/// 1. `s(point) -> double`, const, for a `schedule_point`. A lambda is a schedule.
///
/// Contract: a pure function of the point, so that a resumed run needs no state of it; finite and not
/// negative for every step below `steps`.
template <class S>
concept schedule = requires(const S s, const schedule_point& point) {
    { s(point) } -> std::convertible_to<double>;
};

}  // namespace frostline
