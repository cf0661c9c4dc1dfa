// SPDX-License-Identifier: MIT
// expect: frostline: a trend must be callable when const with \(training_view, block, decision\),
// expect: returning std::optional<double>
#include "frostline/freeze/predicates.hpp"

const auto low = frostline::when::below_peak(0.5, [](const frostline::training_view& view) { return view.frozen; });
