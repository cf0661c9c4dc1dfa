// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/random.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace frostline::inline FROSTLINE_ISA {

/// A checksum against damage, not against malice, at the speed of memory. Every step is a bijection of what
/// came before and of the eight bytes that it takes up, so that damage within one such word never goes
/// unseen; nor do two flipped bits.
inline std::uint64_t checksum_of(const std::byte* bytes, std::size_t size) {
    constexpr std::size_t width = 8, lanes = 4;
    std::array<std::uint64_t, lanes> sums{1, 2, 3, 4};
    const auto take = [&](std::size_t lane, std::uint64_t word) {
        const std::uint64_t product = (sums[lane] ^ word) * 0x9E3779B97F4A7C15ULL;
        sums[lane] = product ^ product >> 32;
    };
    std::size_t place = 0;
    for (; place + lanes * width <= size; place += lanes * width)
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            std::uint64_t word;
            std::memcpy(&word, bytes + place + lane * width, width);
            take(lane, word);
        }
    for (; place < size; place += width) {
        std::uint64_t word = 0;
        std::memcpy(&word, bytes + place, size - place < width ? size - place : width);
        take(place / width % lanes, word);
    }
    std::uint64_t sum = scramble(size);
    for (const std::uint64_t lane : sums) sum = scramble(sum ^ lane);
    return sum;
}

}  // namespace frostline
