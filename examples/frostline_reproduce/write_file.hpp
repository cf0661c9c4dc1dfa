// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/io/whole_file.hpp"

#include <array>
#include <filesystem>
#include <span>
#include <string_view>

/// Writes the whole file, or leaves what was there. @throws frostline::data_error
inline void write_file(const std::filesystem::path& path, std::string_view text) {
    const std::array parts{std::as_bytes(std::span(text))};
    frostline::replace_file(path, parts);
}
