// SPDX-License-Identifier: MIT
// expect: frostline: a predicate must be callable when const with \(training_view, block, decision\),
// expect: returning bool
#include "frostline/freeze/predicates.hpp"

const auto patient = frostline::when::patience(3, frostline::when::score);
