// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/kernels/simd.hpp"

#include <cstddef>
#include <type_traits>

/// The one-dimensional transforms of Winograd's minimal filtering F(m, 3) (Lavin and Gray, "Fast algorithms
/// for convolutional neural networks", 2016): y = A^T [(G g) . (B^T d)], for m outputs and 3 weights. Every
/// function maps one line; `both_axes` applies it to columns and then to rows.
namespace frostline::inline FROSTLINE_ISA::kernels::winograd {

/// A fraction in the element type of the vector V, rounded once: a vector divided by a constant costs a
/// division.
template <class V>
constexpr auto quotient(int numerator, int denominator) {
    using element = std::remove_cvref_t<decltype(V{}[0])>;
    return static_cast<element>(numerator) / static_cast<element>(denominator);
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
            const V half_sum = (g[0] + g[2]) * quotient<V>(1, 2);
            const V half = g[1] * quotient<V>(1, 2);
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
            const V half_sum = (u[1] + u[2]) * quotient<V>(1, 2);
            g[0] = u[0] + half_sum;
            g[1] = (u[1] - u[2]) * quotient<V>(1, 2);
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

/// 36 multiplications for 144, with the points 0, p, -p, q, -q, infinity for p = 5/8 and q = 3/2.
///
/// The points decide how far rounding is amplified (Barabasz et al., "Error analysis and improving the
/// accuracy of Winograd convolution for deep neural networks", 2020). Of a dozen choices that were measured,
/// these err least: outputs, sums of outputs and weight gradients all err half as much as with 1 and 2, the
/// usual points, for as many instructions: sums start with the term that has no factor, so that every other
/// one is a fused multiply-add. sqrt(1/2) and sqrt(2) come close, but B and A are exact in float
/// for fractions of 2^n alone.
struct tile_4x4 {
    static constexpr std::size_t outputs = 4, frequencies = 36;
    static constexpr bool overlaps = true;
    struct input {  // rows: x (x + p) (x^2 - q^2) and so on
        static constexpr std::size_t from = 6, to = 6;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&d)[6], V (&v)[6]) {
            const V even_p = d[4] - quotient<V>(9, 4) * d[2];
            const V odd_p = d[3] - quotient<V>(9, 4) * d[1];
            const V even_q = d[4] - quotient<V>(25, 64) * d[2];
            const V odd_q = d[3] - quotient<V>(25, 64) * d[1];
            v[0] = d[4] - quotient<V>(169, 64) * d[2] + quotient<V>(225, 256) * d[0];
            v[1] = even_p + quotient<V>(5, 8) * odd_p;
            v[2] = even_p - quotient<V>(5, 8) * odd_p;
            v[3] = even_q + quotient<V>(3, 2) * odd_q;
            v[4] = even_q - quotient<V>(3, 2) * odd_q;
            v[5] = d[5] - quotient<V>(169, 64) * d[3] + quotient<V>(225, 256) * d[1];
        }
    };
    struct filter {  // rows: (1, x, x^2) at each point, divided by the product of its distances to the others
        static constexpr std::size_t from = 3, to = 6;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&g)[3], V (&u)[6]) {
            const V even_p = quotient<V>(-2048, 2975) * g[0] - quotient<V>(32, 119) * g[2];
            const V odd_p = quotient<V>(-256, 595) * g[1];
            const V even_q = quotient<V>(128, 1071) * g[0] + quotient<V>(32, 119) * g[2];
            const V odd_q = quotient<V>(64, 357) * g[1];
            u[0] = quotient<V>(256, 225) * g[0];
            u[1] = even_p + odd_p;
            u[2] = even_p - odd_p;
            u[3] = even_q + odd_q;
            u[4] = even_q - odd_q;
            u[5] = g[2];
        }
    };
    struct output {  // rows: powers of the points
        static constexpr std::size_t from = 6, to = 4;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&m)[6], V (&y)[4]) {
            const V sum_p = m[1] + m[2];
            const V difference_p = m[1] - m[2];
            const V sum_q = m[3] + m[4];
            const V difference_q = m[3] - m[4];
            y[0] = m[0] + sum_p + sum_q;
            y[1] = quotient<V>(5, 8) * difference_p + quotient<V>(3, 2) * difference_q;
            y[2] = quotient<V>(25, 64) * sum_p + quotient<V>(9, 4) * sum_q;
            y[3] = m[5] + quotient<V>(125, 512) * difference_p + quotient<V>(27, 8) * difference_q;
        }
    };
    struct output_gradient {
        static constexpr std::size_t from = 4, to = 6;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&y)[4], V (&m)[6]) {
            const V even_p = y[0] + quotient<V>(25, 64) * y[2];
            const V odd_p = quotient<V>(5, 8) * y[1] + quotient<V>(125, 512) * y[3];
            const V even_q = y[0] + quotient<V>(9, 4) * y[2];
            const V odd_q = quotient<V>(3, 2) * y[1] + quotient<V>(27, 8) * y[3];
            m[0] = y[0];
            m[1] = even_p + odd_p;
            m[2] = even_p - odd_p;
            m[3] = even_q + odd_q;
            m[4] = even_q - odd_q;
            m[5] = y[3];
        }
    };
    struct filter_gradient {
        static constexpr std::size_t from = 6, to = 3;
        template <class V>
        [[gnu::always_inline]] static void apply(const V (&u)[6], V (&g)[3]) {
            const V sum_p = u[1] + u[2];
            const V sum_q = u[3] + u[4];
            g[0] = quotient<V>(256, 225) * u[0] - quotient<V>(2048, 2975) * sum_p +
                   quotient<V>(128, 1071) * sum_q;
            g[1] = quotient<V>(256, 595) * (u[2] - u[1]) + quotient<V>(64, 357) * (u[3] - u[4]);
            g[2] = u[5] + quotient<V>(32, 119) * (sum_q - sum_p);
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
