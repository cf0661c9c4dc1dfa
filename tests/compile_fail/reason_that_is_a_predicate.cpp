// SPDX-License-Identifier: MIT
// expect: frostline: a reason to thaw must be callable when const with a training_view, returning the number
// expect: of decisions up to the last that gave it
#include "frostline/freeze/predicates.hpp"
#include "frostline/freeze/thawing.hpp"

const auto thaws = frostline::thaw_on(frostline::when::below(0.1), [](const frostline::training_view& view) {
    return view.frozen;
});
