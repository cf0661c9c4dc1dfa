// SPDX-License-Identifier: MIT
// expect: frostline: a freezing policy must be callable when const: it is a pure function of its view
#include "frostline/concepts/freezing_policy.hpp"

struct counting {
    std::size_t calls = 0;
    std::size_t operator()(const frostline::training_view&) { return ++calls; }
};
static_assert(frostline::explain_freezing_policy<counting>());
