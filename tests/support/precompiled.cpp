// SPDX-License-Identifier: MIT
#include "support/precompiled.hpp"

namespace frostline::inline FROSTLINE_ISA::kernels {
FROSTLINE_TEST_ENGINES(, float)
FROSTLINE_TEST_ENGINES(, double)
}  // namespace frostline::kernels
