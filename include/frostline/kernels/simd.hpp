// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <cstddef>
#include <cstring>
#include <utility>

namespace frostline::inline FROSTLINE_ISA::kernels {

/// Bytes of the widest vector register that this translation unit may use. The kernels are written with the
/// vector extensions that GCC and clang share, so one source serves every width; intrinsics would have needed
/// one each.
#if defined(__AVX512F__)
inline constexpr std::size_t vector_bytes = 64;
inline constexpr std::size_t vector_registers = 32;
#elif defined(__AVX__)
inline constexpr std::size_t vector_bytes = 32;
inline constexpr std::size_t vector_registers = 16;
#else
inline constexpr std::size_t vector_bytes = 16;
inline constexpr std::size_t vector_registers = 16;
#endif

/// Elements of T in one vector register.
template <class T>
inline constexpr std::size_t lanes = vector_bytes / sizeof(T);

template <class T>
struct vector_of {
    typedef T type __attribute__((vector_size(vector_bytes)));
};

/// One vector register of T; arithmetic operators work lane by lane.
template <class T>
using simd = typename vector_of<T>::type;

constexpr std::size_t round_up(std::size_t count, std::size_t multiple) {
    return (count + multiple - 1) / multiple * multiple;
}

/// Loads from any address: memcpy becomes one unaligned move, and breaks no aliasing rule.
template <class T>
[[gnu::always_inline]] inline simd<T> load(const T* from) {
    simd<T> value;
    std::memcpy(&value, from, sizeof value);
    return value;
}

template <class T>
[[gnu::always_inline]] inline void store(T* to, const simd<T>& value) {
    std::memcpy(to, &value, sizeof value);
}

/// The first `count` lanes, the others zero; reads nothing beyond them.
template <class T>
[[gnu::always_inline]] inline simd<T> load_first(const T* from, std::size_t count) {
    if (count >= lanes<T>) return load(from);
    alignas(vector_bytes) T lane[lanes<T>] = {};
    std::memcpy(lane, from, count * sizeof(T));
    return load(lane);
}

template <class T>
[[gnu::always_inline]] inline void store_first(T* to, const simd<T>& value, std::size_t count) {
    if (count >= lanes<T>) return store(to, value);
    alignas(vector_bytes) T lane[lanes<T>];
    store(lane, value);
    std::memcpy(to, lane, count * sizeof(T));
}

namespace detail {

/// Interleaves the lower (or upper) halves of two vectors: a0 b0 a1 b1 ...
template <class T, bool Upper, std::size_t... Lane>
[[gnu::always_inline]] inline simd<T> interleave(const simd<T>& a, const simd<T>& b,
                                                 std::index_sequence<Lane...>) {
    constexpr std::size_t n = lanes<T>;
    return __builtin_shufflevector(a, b, (Lane / 2 + (Lane % 2 ? n : 0) + (Upper ? n / 2 : 0))...);
}

}  // namespace detail

/// to[column][row] = from[row][column] for a block of rows x columns. Whole blocks of lanes x lanes go
/// through registers: log2(lanes) rounds of interleaving row i with row i + lanes / 2 are a transposition.
template <class T>
void transpose(std::size_t rows, std::size_t columns, const T* from, std::size_t from_stride, T* to,
               std::size_t to_stride) {
    constexpr std::size_t n = lanes<T>;
    for (std::size_t row = 0; row < rows; row += n) {
        for (std::size_t column = 0; column < columns; column += n) {
            const T* source = from + row * from_stride + column;
            T* target = to + column * to_stride + row;
            if (row + n <= rows && column + n <= columns) {
                simd<T> block[n], next[n];
                for (std::size_t i = 0; i < n; ++i) block[i] = load(source + i * from_stride);
                for (std::size_t round = 1; round < n; round *= 2) {
                    for (std::size_t i = 0; i < n / 2; ++i) {
                        using every = std::make_index_sequence<n>;
                        next[2 * i] = detail::interleave<T, false>(block[i], block[i + n / 2], every{});
                        next[2 * i + 1] = detail::interleave<T, true>(block[i], block[i + n / 2], every{});
                    }
                    for (std::size_t i = 0; i < n; ++i) block[i] = next[i];
                }
                for (std::size_t i = 0; i < n; ++i) store<T>(target + i * to_stride, block[i]);
            } else {
                for (std::size_t j = 0; j < columns - column && j < n; ++j) {
                    for (std::size_t i = 0; i < rows - row && i < n; ++i) {
                        target[j * to_stride + i] = source[i * from_stride + j];
                    }
                }
            }
        }
    }
}

}  // namespace frostline::kernels
