// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/named_options.hpp"
#include "frostline/optim/schedules.hpp"

#include <cmath>
#include <limits>
#include <string_view>

namespace frostline::inline FROSTLINE_ISA {

/// The schedule that `text` names, with `rate` as its highest rate:
///
/// | text | options (defaults) |
/// |---|---|
/// | constant | |
/// | cosine | final (0): the rate at the end |
/// | one_cycle | rising (0.3), start_divisor (25), final_divisor (10000) |
/// | step | every (30): epochs, factor (0.1) |
///
/// as in "cosine:final=0.001,warm_up=5". All of them take warm_up (0): epochs, and per_epoch (0): 1 holds the
/// rate during each epoch.
/// @throws argument_error for an unknown name or option, and for a negative or non-finite rate
inline any_schedule named_schedule(std::string_view text, double rate) {
    require<argument_error>(std::isfinite(rate) && rate >= 0,
                            "the learning rate must be finite and not negative, found ", rate);
    constexpr double most = std::numeric_limits<double>::max();
    named_options options(text);
    any_schedule chosen;
    if (options.name() == "constant") {
        chosen = constant{.rate = rate};
    } else if (options.name() == "cosine") {
        chosen = cosine{.rate = rate, .final_rate = options.number("final", 0, 0, rate)};
    } else if (options.name() == "one_cycle") {
        chosen = one_cycle{.rate = rate,
                           .rising = options.number("rising", 0.3, 0, 1),
                           .start_divisor = options.number("start_divisor", 25, 1, most),
                           .final_divisor = options.number("final_divisor", 1e4, 1, most)};
    } else if (options.name() == "step") {
        chosen = step_decay{.rate = rate,
                            .every = options.count("every", 30, 1),
                            .factor = options.number("factor", 0.1, 0, 1)};
    } else {
        throw argument_error(sentence("there is no schedule \"", options.name(),
                                      "\", known are constant, cosine, one_cycle, step"));
    }
    const double warm_up_epochs = options.number("warm_up", 0, 0, most);
    const bool held = options.count("per_epoch", 0) != 0;
    options.require_all_used();
    if (warm_up_epochs > 0) chosen = warm_up(chosen, warm_up_epochs);
    return held ? any_schedule(per_epoch(chosen)) : chosen;
}

}  // namespace frostline
