// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/kernels/simd.hpp"

#include <cstddef>
#include <type_traits>

/// The one-dimensional transforms of Winograd's minimal filtering F(m, 3) (Lavin and Gray, "Fast algorithms
/// for convolutional neural networks", 2016): y = A^T [(G g) . (B^T d)], for m outputs and 3 weights. Every
/// function maps one line; `both_axes` applies it to columns and then to rows.
namespace frostline::inline FROSTLINE_ISA::kernels::winograd {

/// 1 / divisor in the element type of the vector V: GCC divides by constants that are no powers of two.
template <class V>
constexpr auto one_over(int divisor) {
    using element = std::remove_cvref_t<decltype(V{}[0])>;
    return element{1} / static_cast<element>(divisor);
}

/// 16 multiplications for 36; halves and additions only, so that it is about as accurate as direct summation.
struct tile_2x2 {
    static constexpr std::size_t outputs = 2, frequencies = 16;
    static constexpr bool overlaps = true;  // a tile reads a pixel more on every side
    struct input {                          // B^T
        static constexpr std::size_t from = 4, to = 4;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&d)[4], V (&v)[4]) {
            v[0] = d[0] - d[2];
            v[1] = d[1] + d[2];
            v[2] = d[2] - d[1];
            v[3] = d[1] - d[3];
        }
    };
    struct filter {  // G
        static constexpr std::size_t from = 3, to = 4;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&g)[3], V (&u)[4]) {
            const V half_sum = (g[0] + g[2]) * one_over<V>(2);
            const V half = g[1] * one_over<V>(2);
            u[0] = g[0];
            u[1] = half_sum + half;
            u[2] = half_sum - half;
            u[3] = g[2];
        }
    };
    struct output {  // A^T
        static constexpr std::size_t from = 4, to = 2;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&m)[4], V (&y)[2]) {
            y[0] = m[0] + m[1] + m[2];
            y[1] = m[1] - m[2] - m[3];
        }
    };
    struct output_gradient {  // A
        static constexpr std::size_t from = 2, to = 4;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&y)[2], V (&m)[4]) {
            m[0] = y[0];
            m[1] = y[0] + y[1];
            m[2] = y[0] - y[1];
            m[3] = -y[1];
        }
    };
    struct filter_gradient {  // G^T
        static constexpr std::size_t from = 4, to = 3;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&u)[4], V (&g)[3]) {
            const V half_sum = (u[1] + u[2]) * one_over<V>(2);
            g[0] = u[0] + half_sum;
            g[1] = (u[1] - u[2]) * one_over<V>(2);
            g[2] = half_sum + u[3];
        }
    };
};

/// A whole image of 2 x 2, padded by 1: 9 multiplications for the 16 of 36 that meet the image. Along one
/// axis y0 = g1 d0 + g2 d1 and y1 = g0 d0 + g1 d1 share g1 (d0 + d1), which is Karatsuba's way to three
/// products; differences and sums only.
struct image_2x2 {
    static constexpr std::size_t outputs = 2, frequencies = 9;
    static constexpr bool overlaps = false;

    struct input {
        static constexpr std::size_t from = 2, to = 3;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&d)[2], V (&v)[3]) {
            v[0] = d[0];
            v[1] = d[0] + d[1];
            v[2] = d[1];
        }
    };
    struct filter {
        static constexpr std::size_t from = 3, to = 3;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&g)[3], V (&u)[3]) {
            u[0] = g[0] - g[1];
            u[1] = g[1];
            u[2] = g[2] - g[1];
        }
    };
    struct output {
        static constexpr std::size_t from = 3, to = 2;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&m)[3], V (&y)[2]) {
            y[0] = m[1] + m[2];
            y[1] = m[1] + m[0];
        }
    };
    struct output_gradient {
        static constexpr std::size_t from = 2, to = 3;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&y)[2], V (&m)[3]) {
            m[0] = y[1];
            m[1] = y[0] + y[1];
            m[2] = y[0];
        }
    };
    struct filter_gradient {
        static constexpr std::size_t from = 3, to = 3;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&u)[3], V (&g)[3]) {
            g[0] = u[0];
            g[1] = u[1] - u[0] - u[2];
            g[2] = u[2];
        }
    };
};

/// 36 multiplications for 144, with the points 0, 1, -1, 2, -2, infinity.
struct tile_4x4 {
    static constexpr std::size_t outputs = 4, frequencies = 36;
    static constexpr bool overlaps = true;
    struct input {
        static constexpr std::size_t from = 6, to = 6;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&d)[6], V (&v)[6]) {
            const V even = d[4] - 4 * d[2];
            const V odd = d[3] - 4 * d[1];
            const V even_two = d[4] - d[2];
            const V odd_two = 2 * (d[3] - d[1]);
            v[0] = 4 * d[0] - 5 * d[2] + d[4];
            v[1] = even + odd;
            v[2] = even - odd;
            v[3] = even_two + odd_two;
            v[4] = even_two - odd_two;
            v[5] = 4 * d[1] - 5 * d[3] + d[5];
        }
    };
    struct filter {
        static constexpr std::size_t from = 3, to = 6;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&g)[3], V (&u)[6]) {
            const V sum = (g[0] + g[2]) * one_over<V>(-6);
            const V middle = g[1] * one_over<V>(-6);
            const V sum_two = g[0] * one_over<V>(24) + g[2] * one_over<V>(6);
            const V middle_two = g[1] * one_over<V>(12);
            u[0] = g[0] * one_over<V>(4);
            u[1] = sum + middle;
            u[2] = sum - middle;
            u[3] = sum_two + middle_two;
            u[4] = sum_two - middle_two;
            u[5] = g[2];
        }
    };
    struct output {
        static constexpr std::size_t from = 6, to = 4;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&m)[6], V (&y)[4]) {
            const V sum = m[1] + m[2];
            const V difference = m[1] - m[2];
            const V sum_two = m[3] + m[4];
            const V difference_two = m[3] - m[4];
            y[0] = m[0] + sum + sum_two;
            y[1] = difference + 2 * difference_two;
            y[2] = sum + 4 * sum_two;
            y[3] = difference + 8 * difference_two + m[5];
        }
    };
    struct output_gradient {
        static constexpr std::size_t from = 4, to = 6;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&y)[4], V (&m)[6]) {
            const V even = y[0] + y[2];
            const V odd = y[1] + y[3];
            const V even_two = y[0] + 4 * y[2];
            const V odd_two = 2 * y[1] + 8 * y[3];
            m[0] = y[0];
            m[1] = even + odd;
            m[2] = even - odd;
            m[3] = even_two + odd_two;
            m[4] = even_two - odd_two;
            m[5] = y[3];
        }
    };
    struct filter_gradient {
        static constexpr std::size_t from = 6, to = 3;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&u)[6], V (&g)[3]) {
            const V sum = (u[1] + u[2]) * one_over<V>(-6);
            const V sum_two = u[3] + u[4];
            g[0] = u[0] * one_over<V>(4) + sum + sum_two * one_over<V>(24);
            g[1] = (u[2] - u[1]) * one_over<V>(6) + (u[3] - u[4]) * one_over<V>(12);
            g[2] = sum + sum_two * one_over<V>(6) + u[5];
        }
    };
};

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunknown-pragmas"
#endif

/// Transforms a square of vectors along both axes: load(i, j) gives its elements, store(i, j, value) takes
/// the result.
template <class T, class Transform, class Load, class Store>
[[gnu::always_inline]] inline void both_axes(const Load& load_at, const Store& store_at) {
    constexpr std::size_t from = Transform::from;
    constexpr std::size_t to = Transform::to;
    simd<T> half[to][from];
#pragma GCC unroll 6
    for (std::size_t j = 0; j < from; ++j) {
        simd<T> line[from], result[to];
#pragma GCC unroll 6
        for (std::size_t i = 0; i < from; ++i) line[i] = load_at(i, j);
        Transform::apply(line, result);
#pragma GCC unroll 6
        for (std::size_t i = 0; i < to; ++i) half[i][j] = result[i];
    }
#pragma GCC unroll 6
    for (std::size_t i = 0; i < to; ++i) {
        simd<T> result[to];
        Transform::apply(half[i], result);
#pragma GCC unroll 6
        for (std::size_t j = 0; j < to; ++j) store_at(i, j, result[j]);
    }
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

}  // namespace frostline::kernels::winograd
