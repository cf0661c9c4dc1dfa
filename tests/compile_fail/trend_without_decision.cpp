// SPDX-License-Identifier: MIT
// expect: frostline: a trend must be callable when const with \(training_view, block, decision\),
// expect: returning std::optional<double>
#include "frostline/freeze/trends.hpp"

const auto falls = frostline::when::slope(
    [](const frostline::training_view& view, std::size_t block) { return view.scores.back()[block]; }, 5);
