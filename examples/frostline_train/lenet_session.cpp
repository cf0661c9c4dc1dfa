// SPDX-License-Identifier: MIT
#include "session.hpp"

#include "frostline/models/lenet.hpp"

template void run_session(frostline::lenet<scalar>, const session_parts&);
