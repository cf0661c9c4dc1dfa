// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <cmath>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// A score, unless it is NaN or infinite: 0 / 0 is no evidence.
inline std::optional<double> finite_score(double value) {
    return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace frostline
