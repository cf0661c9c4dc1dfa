// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"

#include <filesystem>
#include <system_error>

namespace frostline::inline FROSTLINE_ISA {

/// Refuses a pipe, a socket and a device, which have no end or let a reader wait for ever. Links are
/// followed; a folder, and what is not there, is left to the error of the reader.
/// @throws data_error
inline void require_regular_file(const std::filesystem::path& path) {
    std::error_code ignored;
    const auto status = std::filesystem::status(path, ignored);
    require<data_error>(!std::filesystem::is_other(status), path.string(),
                        ": is a pipe, a socket or a device, expected a regular file");
}

}  // namespace frostline
