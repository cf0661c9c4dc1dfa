// SPDX-License-Identifier: MIT
// expect: frostline: a freezing policy must return how many leading learning blocks to freeze
#include "frostline/concepts/freezing_policy.hpp"

struct silent {
    void operator()(const frostline::training_view&) const {}
};
static_assert(frostline::explain_freezing_policy<silent>());
