// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numbers>
#include <span>
#include <string_view>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// What a random draw is for: draws for different purposes never meet, whatever their other keys.
enum class purpose : std::uint64_t {
    initialisation = 1,
    batch_order,
    split,
    dropout,
    augmentation,
    probe,
    policy,
    user,
    replay
};

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014): a bijection that scatters neighbouring counters.
constexpr std::uint64_t scramble(std::uint64_t bits) {
    bits += 0x9E3779B97F4A7C15ULL;
    bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9ULL;
    bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EBULL;
    return bits ^ (bits >> 31);
}

/// FNV-1a, to key draws by a name.
constexpr std::uint64_t hash_of(std::string_view name) {
    std::uint64_t hash = 0xCBF29CE484222325ULL;
    for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3ULL;
    return hash;
}

/// Random numbers as a pure function of (seed, purpose, two keys, index): nothing depends on what was drawn
/// before, so a resumed run needs no generator state. Also a standard uniform random bit generator that
/// counts its index up.
class random_stream {
public:
    using result_type = std::uint64_t;

    constexpr random_stream(std::uint64_t seed, purpose what, std::uint64_t first_key = 0,
                            std::uint64_t second_key = 0)
        : key_(scramble(scramble(scramble(scramble(seed) ^ static_cast<std::uint64_t>(what)) ^ first_key) ^
                        second_key)) {}

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }

    constexpr std::uint64_t bits(std::uint64_t index) const { return scramble(key_ ^ scramble(index)); }
    constexpr result_type operator()() { return bits(next_++); }

    /// Uniform in [0, 1), with 53 random bits.
    constexpr double uniform(std::uint64_t index) const {
        return static_cast<double>(bits(index) >> 11) * 0x1.0p-53;
    }

    /// Standard normal, by Box and Muller: our own, since std::normal_distribution differs between libraries.
    double normal(std::uint64_t index) const {
        const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform(2 * index)));
        return radius * std::cos(2.0 * std::numbers::pi * uniform(2 * index + 1));
    }

private:
    std::uint64_t key_;
    std::uint64_t next_ = 0;
};

/// Shuffles in place (Fisher and Yates), using draws 2 to values.size() of `stream`.
template <class T>
void shuffle(std::span<T> values, const random_stream& stream) {
    for (std::size_t last = values.size(); last > 1; --last) {
        const auto chosen = static_cast<std::size_t>(stream.uniform(last) * static_cast<double>(last));
        std::swap(values[last - 1], values[chosen]);
    }
}

}  // namespace frostline
