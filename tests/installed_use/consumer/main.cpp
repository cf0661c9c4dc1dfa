// SPDX-License-Identifier: MIT
#include <cstdio>
#include <frostline/frostline.hpp>

int main() {
    std::printf("frostline %s\n", frostline::version_string.data());
    return frostline::version_string.empty() ? 1 : 0;
}
