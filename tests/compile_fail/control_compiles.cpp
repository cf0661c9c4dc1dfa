// SPDX-License-Identifier: MIT
// expect-success
#include "frostline/frostline.hpp"

static_assert(!frostline::version_string.empty());
