// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/freeze/named_policy.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

/// All options of the policy that a command line names, its defaults among them, which a later version may
/// change. @throws frostline::argument_error as named_policy does
inline nlohmann::json policy_options(std::string_view policy) {
    auto options = nlohmann::json::object();
    frostline::named_policy(
        policy, [&](std::string_view key, const auto& value) { options[std::string(key)] = value; });
    return options;
}
