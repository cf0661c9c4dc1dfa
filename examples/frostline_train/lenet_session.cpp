// SPDX-License-Identifier: MIT
#include "session.hpp"

#include "frostline/models/lenet.hpp"

template bool run_session(frostline::lenet<scalar>, const session_parts&);
