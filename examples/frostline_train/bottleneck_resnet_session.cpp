// SPDX-License-Identifier: MIT
#include "session.hpp"

#include "frostline/models/resnet.hpp"

template bool run_session(frostline::bottleneck_resnet<scalar>, const session_parts&);
