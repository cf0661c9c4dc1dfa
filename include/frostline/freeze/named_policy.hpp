// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/named_options.hpp"
#include "frostline/freeze/any_policy.hpp"
#include "frostline/freeze/learn_and_drop.hpp"
#include "frostline/freeze/linear_schedule.hpp"
#include "frostline/freeze/never.hpp"

#include <string>
#include <string_view>

namespace frostline::inline FROSTLINE_ISA {

/// The policy that `text` names, "NAME" or "NAME:KEY=NUMBER,...", with the keys of its members:
///
/// | name | keys |
/// |---|---|
/// | never | |
/// | linear | start, end, share |
/// | learn_and_drop | warm_up, below_peak, remaining, keep_active, patience, at_most |
///
/// @throws argument_error for an unknown name or key, and for numbers out of range
inline any_policy named_policy(std::string_view text) {
    named_options options(text);
    const auto named = [&](auto policy) {
        options.require_all_used();
        return any_policy(options.name(), policy);
    };
    if (options.name() == "never") return named(never{});
    if (options.name() == "linear") {
        linear_schedule policy;
        policy.start = options.number("start", policy.start, 0, 1);
        policy.end = options.number("end", policy.end, 0, 1);
        policy.share = options.number("share", policy.share, 0, 1);
        return named(policy);
    }
    if (options.name() == "learn_and_drop") {
        learn_and_drop policy;
        policy.warm_up = options.number("warm_up", policy.warm_up, 0, 1);
        policy.below_peak = options.number("below_peak", policy.below_peak, 0);
        policy.remaining = options.number("remaining", policy.remaining, 0);
        policy.keep_active = options.number("keep_active", policy.keep_active, 0, 1);
        policy.patience = options.count("patience", policy.patience, 1);
        policy.at_most = options.count("at_most", policy.at_most, 1);
        return named(policy);
    }
    throw argument_error(
        sentence("there is no policy \"", options.name(), "\", known are never, linear, learn_and_drop"));
}

}  // namespace frostline
