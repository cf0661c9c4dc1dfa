// SPDX-License-Identifier: MIT
// expect: frostline: an observer must be callable with a const reference to one of run_started
#include "frostline/concepts/observer.hpp"

struct deaf {};
static_assert(frostline::explain_observer<deaf>());
