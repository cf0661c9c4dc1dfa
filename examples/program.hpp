// SPDX-License-Identifier: MIT
// What the command line tools share.
#pragma once

#include "frostline/core/tensor.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>
#include <string_view>

namespace program {

inline constexpr int bad_command_line = 2, ended_by_signal = 130;

/// Says why a tool ends: one line, whatever names and paths the sentence quotes. @return `code`
inline int fail(std::string_view tool, std::string sentence, int code = EXIT_FAILURE) {
    std::replace_if(
        sentence.begin(), sentence.end(), [](char letter) { return letter >= 0 && letter < ' '; }, ' ');
    std::cout.flush();
    std::cerr << tool << ": " << sentence << '\n';
    return code;
}

/// Reads the command line and calls run(); an exception ends the tool by its sentence. @return the exit code
template <class Run>
int main(CLI::App& app, int argc, char** argv, const Run& run) {
    const std::string tool = app.get_name();
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& answered) {
        return app.exit(answered);
    } catch (const CLI::ParseError& failure) {
        return fail(tool, failure.what(), bad_command_line);
    }
    try {
        run();
    } catch (const std::exception& failure) {
        return fail(tool, failure.what());
    }
    return std::cout.flush() ? EXIT_SUCCESS : fail(tool, "cannot write to standard output");
}

/// 28x28 images get a border of two, so that five poolings leave a pixel; LeNet-5 pads by itself.
inline std::size_t border_of(std::string_view model, const frostline::sample_shape& shape) {
    return shape.height == 28 && model != "lenet5" ? 2 : 0;
}

}  // namespace program
