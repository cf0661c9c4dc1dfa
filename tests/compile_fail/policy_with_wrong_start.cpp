// SPDX-License-Identifier: MIT
// expect: frostline: the at_start of a freezing policy must be a const function of a training_view,
// expect: returning how many leading learning blocks to freeze, or frozen_blocks
#include "frostline/concepts/freezing_policy.hpp"

struct forgets_const {
    std::size_t operator()(const frostline::training_view&) const { return 0; }
    std::size_t at_start(const frostline::training_view& view) { return view.last_freezable; }
};
static_assert(frostline::explain_freezing_policy<forgets_const>());
