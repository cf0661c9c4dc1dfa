// SPDX-License-Identifier: MIT
#include "everything.hpp"

const std::string_view* version_seen_by_the_second();

int main() { return version_seen_by_the_second() == &frostline::version_string ? 0 : 1; }
