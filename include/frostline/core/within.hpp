// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <string>
#include <string_view>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A visitor of state that passes on what it is shown under a longer name: "scorer.values" for "values".
/// @param visit  has to outlive it
template <class Visitor>
auto within(std::string part, Visitor& visit) {
    return [part = std::move(part), &visit](std::string_view name, auto&& value) {
        visit(part + '.' + std::string(name), std::forward<decltype(value)>(value));
    };
}

}  // namespace frostline
