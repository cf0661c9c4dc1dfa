// SPDX-License-Identifier: MIT
// One include for Catch2 2.13 (a single header) and Catch2 3, with the names of 3.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>

#include <string>

namespace Catch {
using Detail::Approx;

namespace Matchers {
inline auto ContainsSubstring(std::string const& text) { return Contains(text); }
}  // namespace Matchers
}  // namespace Catch
#endif
