// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

namespace frostline::inline FROSTLINE_ISA {

/// Freezes nothing: the run to compare with.
struct never {
    std::size_t operator()(const training_view&) const { return 0; }
};

}  // namespace frostline
