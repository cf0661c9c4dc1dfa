// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace frostline::inline FROSTLINE_ISA {

/// "3.14": `digits` digits behind the point, whatever the locale.
inline std::string format_fixed(double value, int digits) {
    std::array<char, 400> text{};  // the largest double has 309 digits before the point
    const auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits);
    return {text.data(), end.ptr};
}

/// Three significant digits and a prefix: 12'300 with base 1000 and "FLOP" gives "12.3 kFLOP".
template <std::size_t Count>
std::string format_prefixed(double value, double base, const std::array<const char*, Count>& prefixes,
                            const char* unit) {
    std::size_t prefix = 0;
    while (value >= base - 0.5 && prefix + 1 < Count) {
        value /= base;
        ++prefix;
    }
    const int digits = prefix == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
    return format_fixed(value, digits) + " " + prefixes[prefix] + unit;
}

/// "12.3 M"
inline std::string format_count(std::uint64_t count) {
    constexpr std::array prefixes{"", "k", "M", "G", "T", "P", "E"};
    return format_prefixed(static_cast<double>(count), 1000, prefixes, "");
}

/// "12.3 TFLOP"
inline std::string format_flops(std::uint64_t flops) {
    constexpr std::array prefixes{"", "k", "M", "G", "T", "P", "E"};
    return format_prefixed(static_cast<double>(flops), 1000, prefixes, "FLOP");
}

/// "1.23 GiB"
inline std::string format_bytes(std::uint64_t bytes) {
    constexpr std::array prefixes{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"};
    return format_prefixed(static_cast<double>(bytes), 1024, prefixes, "B");
}

/// A share as "97.31 %"; "-" when it is absent.
inline std::string format_percent(std::optional<double> share, int digits = 2) {
    return share ? format_fixed(100 * *share, digits) + " %" : "-";
}

/// "1.23 s", "45.6 s", "12 min 34 s" or "5 h 06 min"
inline std::string format_duration(double seconds) {
    if (!(seconds >= 99.95)) return format_fixed(seconds, seconds >= 9.995 ? 1 : 2) + " s";
    const auto padded = [](long long number) {
        return std::string(number < 10 ? "0" : "") += std::to_string(number);
    };
    const long long whole = std::llround(seconds);
    if (whole < 3600) return std::to_string(whole / 60) + " min " + padded(whole % 60) + " s";
    const long long minutes = std::llround(seconds / 60);
    return std::to_string(minutes / 60) + " h " + padded(minutes % 60) + " min";
}

/// "0:07", "12:34" or "1:02:03"
inline std::string format_clock(double seconds) {
    const auto padded = [](long long number) {
        return std::string(number < 10 ? "0" : "") += std::to_string(number);
    };
    const long long whole = std::llround(seconds);
    const std::string end = ":" + padded(whole % 60);
    if (whole < 3600) return std::to_string(whole / 60) + end;
    return std::to_string(whole / 3600) + ":" + padded(whole / 60 % 60) + end;
}

}  // namespace frostline
