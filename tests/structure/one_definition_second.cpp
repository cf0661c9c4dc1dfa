// SPDX-License-Identifier: MIT
#include "everything.hpp"

const std::string_view* version_seen_by_the_second();
const std::string_view* version_seen_by_the_second() { return &frostline::version_string; }
