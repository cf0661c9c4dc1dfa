// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/tensor.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace frostline::inline FROSTLINE_ISA {

/// How a store writes a row of numbers as bytes.
///
/// Requirements on a type `E` for the scalar type `T`, all members static:
/// 1. `E::bytes<T>(shape) -> std::size_t` of a row of this shape.
/// 2. `E::encode(row, shape, bytes)`: writes the shape.size() values at `row` as those bytes.
/// 3. `E::decode(bytes, shape, row)`: the way back. The same bytes always give the same values.
/// Rows may be encoded and decoded in several threads at once.
template <class E, class T>
concept encoding = requires(const sample_shape& shape, const T* from, T* to, std::byte* bytes,
                            const std::byte* encoded) {
    { E::template bytes<T>(shape) } -> std::same_as<std::size_t>;
    E::encode(from, shape, bytes);
    E::decode(encoded, shape, to);
};

/// The values themselves: rows come back bit for bit.
struct exact_encoding {
    template <class T>
    static std::size_t bytes(const sample_shape& shape) {
        return shape.size() * sizeof(T);
    }
    template <class T>
    static void encode(const T* row, const sample_shape& shape, std::byte* bytes) {
        std::memcpy(bytes, row, shape.size() * sizeof(T));
    }
    template <class T>
    static void decode(const std::byte* bytes, const sample_shape& shape, T* row) {
        std::memcpy(row, bytes, shape.size() * sizeof(T));
    }
};

/// The upper half of a float: 8 significant bits, to the nearest, ties to even.
struct bfloat16_encoding {
    template <class T>
    static std::size_t bytes(const sample_shape& shape) {
        return shape.size() * sizeof(std::uint16_t);
    }
    template <class T>
    static void encode(const T* row, const sample_shape& shape, std::byte* bytes) {
        for (std::size_t i = 0; i < shape.size(); ++i) {
            const std::uint16_t half = nearest(static_cast<float>(row[i]));
            std::memcpy(bytes + i * sizeof half, &half, sizeof half);
        }
    }
    template <class T>
    static void decode(const std::byte* bytes, const sample_shape& shape, T* row) {
        for (std::size_t i = 0; i < shape.size(); ++i) {
            std::uint16_t half;
            std::memcpy(&half, bytes + i * sizeof half, sizeof half);
            row[i] = static_cast<T>(value_of(half));
        }
    }

    static std::uint16_t nearest(float value) {
        const auto bits = std::bit_cast<std::uint32_t>(value);
        if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>(bits >> 16 | 0x40u);  // NaN
        return static_cast<std::uint16_t>((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
    }
    static float value_of(std::uint16_t half) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
    }
};

/// One byte a value: 256 equal steps from the least to the largest value of each channel of the row; lowest
/// value and step take two bytes each. A channel with a value that is not finite comes back as NaN.
struct uint8_encoding {
    template <class T>
    static std::size_t bytes(const sample_shape& shape) {
        return shape.size() + shape.channels * 2 * sizeof(std::uint16_t);
    }
    template <class T>
    static void encode(const T* row, const sample_shape& shape, std::byte* bytes) {
        const std::size_t channels = shape.channels, pixels = shape.height * shape.width;
        std::byte* const values = bytes + channels * 2 * sizeof(std::uint16_t);
        for (std::size_t channel = 0; channel < channels; ++channel) {
            float lowest = std::numeric_limits<float>::infinity(), highest = -lowest;
            bool finite = true;
            for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
                const auto value = static_cast<float>(row[pixel * channels + channel]);
                finite = finite && std::isfinite(value);
                lowest = std::min(lowest, value);
                highest = std::max(highest, value);
            }
            // Both rounded outwards, so that the steps reach over all values.
            std::uint16_t first = bfloat16_encoding::nearest(lowest);
            if (bfloat16_encoding::value_of(first) > lowest) first = neighbour(first, lowest < 0 ? 1 : -1);
            const float range = highest - bfloat16_encoding::value_of(first);
            std::uint16_t step = bfloat16_encoding::nearest(range / 255);
            if (bfloat16_encoding::value_of(step) * 255 < range) step = neighbour(step, 1);
            if (!finite || !std::isfinite(range)) first = 0x7fc0, step = 0;
            std::memcpy(bytes + channel * 4, &first, 2);
            std::memcpy(bytes + channel * 4 + 2, &step, 2);
            const float start = bfloat16_encoding::value_of(first), each = bfloat16_encoding::value_of(step);
            const float inverse = each > 0 ? 1 / each : 0;
            for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
                const std::size_t place = pixel * channels + channel;
                const float scaled = (static_cast<float>(row[place]) - start) * inverse + 0.5f;
                values[place] = std::byte(scaled >= 255 ? 255 : scaled > 0 ? static_cast<int>(scaled) : 0);
            }
        }
    }
    template <class T>
    static void decode(const std::byte* bytes, const sample_shape& shape, T* row) {
        const std::size_t channels = shape.channels, pixels = shape.height * shape.width;
        const std::byte* const values = bytes + channels * 2 * sizeof(std::uint16_t);
        for (std::size_t channel = 0; channel < channels; ++channel) {
            std::uint16_t first, step;
            std::memcpy(&first, bytes + channel * 4, 2);
            std::memcpy(&step, bytes + channel * 4 + 2, 2);
            const float start = bfloat16_encoding::value_of(first), each = bfloat16_encoding::value_of(step);
            for (std::size_t place = channel; place < pixels * channels; place += channels)
                row[place] =
                    static_cast<T>(start + each * static_cast<float>(std::to_integer<int>(values[place])));
        }
    }

private:
    static std::uint16_t neighbour(std::uint16_t half, int up) {
        return static_cast<std::uint16_t>(half + up);
    }
};

}  // namespace frostline
