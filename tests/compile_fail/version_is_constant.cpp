// SPDX-License-Identifier: MIT
// expect: no viable overloaded '='|passing 'const .*as 'this' argument discards qualifiers
#include "frostline/version.hpp"

void change() { frostline::version_string = "2.0.0"; }
