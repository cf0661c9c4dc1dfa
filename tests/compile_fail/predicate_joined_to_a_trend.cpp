// SPDX-License-Identifier: MIT
// expect: frostline: a predicate must be callable when const with \(training_view, block, decision\),
// expect: returning bool
#include "frostline/freeze/predicates.hpp"

// Forgot the limit: `when::score < 0.1`.
const auto policy = frostline::freeze_prefix(frostline::when::warm_up(0.2) && frostline::when::score);
