// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace frostline::inline FROSTLINE_ISA {

/// Whether no value is NaN or infinite. On the bits: vectorises without -ffast-math, and still finds what
/// -ffast-math promises not to exist.
template <class T>
bool all_finite(const T* values, std::size_t size) {
    using bits = std::conditional_t<sizeof(T) == sizeof(std::uint32_t), std::uint32_t, std::uint64_t>;
    constexpr bits exponent = std::bit_cast<bits>(std::numeric_limits<T>::infinity());
    bits found = 0;
    for (std::size_t i = 0; i < size; ++i)
        found |= static_cast<bits>((std::bit_cast<bits>(values[i]) & exponent) == exponent);
    return found == 0;
}

}  // namespace frostline
