// SPDX-License-Identifier: MIT
// expect: frostline: a predicate must be callable when const with \(training_view, block, decision\),
// expect: returning bool
#include "frostline/freeze/predicates.hpp"

const auto policy = frostline::freeze_prefix(
    [](const frostline::training_view& view, std::size_t block) { return view.epoch > block; });
