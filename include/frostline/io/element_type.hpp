// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

static_assert(std::endian::native == std::endian::little,
              "frostline: files of arrays are little-endian and are read and written as they lie in memory");

/// What the arrays of a file are made of.
enum class element_type { float32, float64, int64, uint8 };

/// An element type, and what it is called in files.
struct element_format {
    element_type type;
    std::string_view name;
    std::size_t bytes;
    std::string_view safetensors;
    std::string_view npy;
};

inline constexpr std::array<element_format, 4> element_formats = {{
    {element_type::float32, "float32", 4, "F32", "<f4"},
    {element_type::float64, "float64", 8, "F64", "<f8"},
    {element_type::int64, "int64", 8, "I64", "<i8"},
    {element_type::uint8, "uint8", 1, "U8", "|u1"},
}};

constexpr const element_format& format_of(element_type type) {
    return element_formats[static_cast<std::size_t>(type)];
}

constexpr bool is_floating_point(element_type type) {
    return type == element_type::float32 || type == element_type::float64;
}

/// float, double, std::int64_t or std::uint8_t.
template <class T>
constexpr element_type element_type_of() {
    if constexpr (std::is_same_v<T, float>)
        return element_type::float32;
    else if constexpr (std::is_same_v<T, double>)
        return element_type::float64;
    else if constexpr (std::is_same_v<T, std::int64_t>)
        return element_type::int64;
    else {
        static_assert(std::is_same_v<T, std::uint8_t>,
                      "frostline: files hold float, double, std::int64_t and std::uint8_t");
        return element_type::uint8;
    }
}

/// Bytes of an array; nothing where they are more than can be counted.
inline std::optional<std::size_t> bytes_of(element_type type, const std::vector<std::size_t>& shape) {
    std::size_t bytes = format_of(type).bytes;
    for (const std::size_t extent : shape) {
        if (extent > 0 && bytes > std::numeric_limits<std::size_t>::max() / extent) return std::nullopt;
        bytes *= extent;
    }
    return bytes;
}

/// Elements of an array whose bytes can be counted.
inline std::size_t elements_of(const std::vector<std::size_t>& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>{});
}

/// "[64, 3, 7, 7]"
inline std::string shape_text(const std::vector<std::size_t>& shape) {
    std::string text;
    for (const std::size_t extent : shape) text += (text.empty() ? "" : ", ") + std::to_string(extent);
    return "[" + text + "]";
}

}  // namespace frostline
