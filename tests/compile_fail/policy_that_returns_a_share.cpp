// SPDX-License-Identifier: MIT
// expect: frostline: a freezing policy must return how many leading learning blocks to freeze, a whole number and
// expect: no share of them
#include "frostline/concepts/freezing_policy.hpp"

struct by_progress {
    double operator()(const frostline::training_view& view) const { return 0.5 * view.progress(); }
};
static_assert(frostline::freezing_policy<by_progress> || frostline::explain_freezing_policy<by_progress>());
