// SPDX-License-Identifier: MIT
// frostline-train: trains a model on a data set with a freezing policy, or compares the policy with training
// in full.

#include "settings.hpp"

#include <cstdlib>
#include <exception>
#include <iostream>

int main(int argc, char** argv) {
    const settings chosen = parse(argc, argv);
    try {
        train(chosen);
        return EXIT_SUCCESS;
    } catch (const std::exception& failure) {
        std::cerr << "frostline-train: " << failure.what() << '\n';
        return EXIT_FAILURE;
    }
}
