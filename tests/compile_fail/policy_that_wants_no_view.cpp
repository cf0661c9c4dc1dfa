// SPDX-License-Identifier: MIT
// expect: frostline: a freezing policy must be callable with a training_view
#include "frostline/concepts/freezing_policy.hpp"

struct blind {
    std::size_t operator()(int) const { return 0; }
};
static_assert(frostline::explain_freezing_policy<blind>());
