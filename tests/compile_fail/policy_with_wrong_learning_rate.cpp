// SPDX-License-Identifier: MIT
// expect: frostline: the learning_rate of a freezing policy must be a const function of a rate_view,
// expect: returning a double
#include "frostline/concepts/freezing_policy.hpp"

struct forgets_const {
    std::size_t operator()(const frostline::training_view&) const { return 0; }
    double learning_rate(const frostline::rate_view& now) { return now.rate; }
};
static_assert(frostline::explain_freezing_policy<forgets_const>());
