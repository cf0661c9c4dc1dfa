// SPDX-License-Identifier: MIT
#include "session.hpp"

#include "frostline/models/vgg.hpp"

template bool run_session(frostline::vgg<scalar>, const session_parts&);
