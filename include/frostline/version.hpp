// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "frostline/core/isa.hpp"

// The only place where the version stands: CMake reads these three lines.
#define FROSTLINE_VERSION_MAJOR 0
#define FROSTLINE_VERSION_MINOR 1
#define FROSTLINE_VERSION_PATCH 0

#define FROSTLINE_QUOTE(major, minor, patch) #major "." #minor "." #patch
#define FROSTLINE_QUOTE_EXPANDED(major, minor, patch) FROSTLINE_QUOTE(major, minor, patch)

namespace frostline::inline FROSTLINE_ISA {

/// The version of the library, "major.minor.patch".
inline constexpr std::string_view version_string =
    FROSTLINE_QUOTE_EXPANDED(FROSTLINE_VERSION_MAJOR, FROSTLINE_VERSION_MINOR, FROSTLINE_VERSION_PATCH);

}  // namespace frostline::inline FROSTLINE_ISA

#undef FROSTLINE_QUOTE
#undef FROSTLINE_QUOTE_EXPANDED
