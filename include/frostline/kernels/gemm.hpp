// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/openblas.hpp"
#include "frostline/kernels/simd.hpp"

#include <algorithm>
#include <cstddef>
#include <type_traits>

namespace frostline::inline FROSTLINE_ISA::kernels {

/// Whether products run on the micro-kernels below (true) or on OpenBLAS (false) where both are possible.
///
/// Measured on one Zen 5 core, float: ours reaches 235 GFLOP/s with AVX-512 and OpenBLAS 0.3.21 204, and ours
/// needs neither packing nor copies of patches. With AVX2 the two are equal on a machine that has no more
/// than that. A build for plain x86-64 reaches 38 with ours, while OpenBLAS looks at the machine at run time:
/// there it must do the training.
#if defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__))
inline constexpr bool own_product_is_fast = true;
#else
inline constexpr bool own_product_is_fast = false;
#endif

/// Columns of C that one micro-kernel holds in registers, in vectors: 6 x 4 accumulators of 32 registers, or
/// 6 x 2 of 16. A wider tile spills, a narrower one waits for loads (6 x 2 of 32 registers was as fast in L1
/// but reads B twice as often).
inline constexpr std::size_t panel_vectors = vector_registers == 32 ? 4 : 2;

template <class T>
inline constexpr std::size_t panel_columns = panel_vectors* lanes<T>;

/// Rows of C in registers: 6, except that a single vector of columns needs 12 to hide the latency of its
/// additions.
constexpr std::size_t micro_rows(std::size_t vectors) {
    return vectors == 1 && vector_registers == 32 ? 12 : 6;
}

/// What the sum of a product runs over: `runs` stretches of `length` terms. In A, the beginnings of two
/// stretches are `distance` elements apart.
struct product_depth {
    constexpr product_depth(std::size_t terms, std::size_t stretches = 1, std::size_t apart = 0)
        : length(terms), runs(stretches), distance(apart) {}

    std::size_t length, runs, distance;
};

namespace detail {

// The loops over rows and vectors have constant bounds; GCC unrolls them at -O2 only when told to, and keeps
// the accumulators in memory if it does not. clang does it by itself and does not know the pragma.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wunknown-pragmas"
#endif

/// C (Rows x Vectors vectors) = A B, or C += A B, with A's and C's rows anywhere in memory, of A `depth` from
/// column `first` on, and B (as many rows, Vectors vectors) with row stride ldb. `tail` is the number of
/// columns of the last vector that exist in C.
///
/// Every element of C is one chain of multiply-adds over k from zero, and its old value is added at the end:
/// the sums of a large depth are then made of shorter chains, which round less. The chain does not depend on
/// Rows, on its place among the rows or on its neighbours, so a row's bits are a function of that row of A
/// alone: what inference promises, and what no BLAS does.
template <class T, std::size_t Rows, std::size_t Vectors>
void row_product(product_depth depth, const T* const* a, std::size_t first, const T* b, std::size_t ldb,
                 bool accumulate, T* const* c, std::size_t tail) {
    simd<T> sum[Rows][Vectors] = {};
    const T* row[Rows];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) row[r] = a[r] + first;
    for (std::size_t run = 0; run < depth.runs; ++run) {
        for (std::size_t k = 0; k < depth.length; ++k, b += ldb) {
            simd<T> factor[Vectors];
#pragma GCC unroll 4
            for (std::size_t v = 0; v < Vectors; ++v) factor[v] = load(b + v * lanes<T>);
#pragma GCC unroll 16
            for (std::size_t r = 0; r < Rows; ++r) {
                const T element = row[r][k];
#pragma GCC unroll 4
                for (std::size_t v = 0; v < Vectors; ++v) sum[r][v] += element * factor[v];
            }
        }
#pragma GCC unroll 16
        for (std::size_t r = 0; r < Rows; ++r) row[r] += depth.distance;
    }
    if (accumulate) {
#pragma GCC unroll 16
        for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
            for (std::size_t v = 0; v + 1 < Vectors; ++v) sum[r][v] += load(c[r] + v * lanes<T>);
            sum[r][Vectors - 1] += load_first(c[r] + (Vectors - 1) * lanes<T>, tail);
        }
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
        for (std::size_t v = 0; v + 1 < Vectors; ++v) store<T>(c[r] + v * lanes<T>, sum[r][v]);
        store_first<T>(c[r] + (Vectors - 1) * lanes<T>, sum[r][Vectors - 1], tail);
    }
}

/// C (Rows x Vectors vectors, row stride ldc) = A^T B, or C += A^T B, with A (depth x Rows, row stride lda in
/// a stretch) and B as above: the product of weight gradients, where the sum runs over rows of both operands
/// and neither needs a transposition.
template <class T, std::size_t Rows, std::size_t Vectors>
void outer_product(product_depth depth, const T* a, std::size_t lda, const T* b, std::size_t ldb,
                   bool accumulate, T* c, std::size_t ldc, std::size_t tail) {
    simd<T> sum[Rows][Vectors] = {};
    for (std::size_t run = 0; run < depth.runs; ++run) {
        const T* row = a + run * depth.distance;
        for (std::size_t k = 0; k < depth.length; ++k, row += lda, b += ldb) {
            simd<T> factor[Vectors];
#pragma GCC unroll 4
            for (std::size_t v = 0; v < Vectors; ++v) factor[v] = load(b + v * lanes<T>);
#pragma GCC unroll 16
            for (std::size_t r = 0; r < Rows; ++r) {
                const T element = row[r];
#pragma GCC unroll 4
                for (std::size_t v = 0; v < Vectors; ++v) sum[r][v] += element * factor[v];
            }
        }
    }
    if (accumulate) {
#pragma GCC unroll 16
        for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
            for (std::size_t v = 0; v + 1 < Vectors; ++v) sum[r][v] += load(c + r * ldc + v * lanes<T>);
            sum[r][Vectors - 1] += load_first(c + r * ldc + (Vectors - 1) * lanes<T>, tail);
        }
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
        for (std::size_t v = 0; v + 1 < Vectors; ++v) store<T>(c + r * ldc + v * lanes<T>, sum[r][v]);
        store_first<T>(c + r * ldc + (Vectors - 1) * lanes<T>, sum[r][Vectors - 1], tail);
    }
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

/// Calls kernel<R>() with R = rows, 1 <= rows <= Most.
template <std::size_t Most, class Kernel>
[[gnu::always_inline]] inline void with_rows(std::size_t rows, const Kernel& kernel) {
    if constexpr (Most > 1) {
        if (rows < Most) return with_rows<Most - 1>(rows, kernel);
    }
    kernel(std::integral_constant<std::size_t, Most>{});
}

template <class T, std::size_t Vectors>
void multiply_row_panel(std::size_t rows, product_depth depth, const T* const* a, std::size_t first,
                        const T* b, std::size_t ldb, bool accumulate, T* const* c, std::size_t tail) {
    constexpr std::size_t step = micro_rows(Vectors);
    std::size_t row = 0;
    for (; row + step <= rows; row += step) {
        row_product<T, step, Vectors>(depth, a + row, first, b, ldb, accumulate, c + row, tail);
    }
    if (row < rows) {
        with_rows<step - 1>(rows - row, [&](auto count) {
            row_product<T, count(), Vectors>(depth, a + row, first, b, ldb, accumulate, c + row, tail);
        });
    }
}

template <class T, std::size_t Vectors>
void multiply_outer_panel(std::size_t rows, product_depth depth, const T* a, std::size_t lda, const T* b,
                          std::size_t ldb, bool accumulate, T* c, std::size_t ldc, std::size_t tail) {
    constexpr std::size_t step = micro_rows(Vectors);
    std::size_t row = 0;
    for (; row + step <= rows; row += step) {
        outer_product<T, step, Vectors>(depth, a + row, lda, b, ldb, accumulate, c + row * ldc, ldc, tail);
    }
    if (row < rows) {
        with_rows<step - 1>(rows - row, [&](auto count) {
            outer_product<T, count(), Vectors>(depth, a + row, lda, b, ldb, accumulate, c + row * ldc, ldc,
                                               tail);
        });
    }
}

/// Calls panel<V>(tail) for a panel of `columns` <= panel_columns<T>.
template <class T, std::size_t Most = panel_vectors, class Panel>
[[gnu::always_inline]] inline void with_vectors(std::size_t columns, const Panel& panel) {
    if constexpr (Most > 1) {
        if (columns <= (Most - 1) * lanes<T>) return with_vectors<T, Most - 1>(columns, panel);
    }
    panel(std::integral_constant<std::size_t, Most>{}, columns - (Most - 1) * lanes<T>);
}

}  // namespace detail

/// C = A B, or C += A B, for `rows` rows given by pointers and `columns` <= panel_columns<T> columns; of A
/// `depth` from column `first` on. B has as many rows of stride ldb, each readable up to a whole vector. The
/// bits of a row of C depend on its row of A alone.
template <class T>
void multiply_row_panel(std::size_t rows, std::size_t columns, product_depth depth, const T* const* a,
                        std::size_t first, const T* b, std::size_t ldb, bool accumulate, T* const* c) {
    detail::with_vectors<T>(columns, [&](auto vectors, std::size_t tail) {
        detail::multiply_row_panel<T, vectors()>(rows, depth, a, first, b, ldb, accumulate, c, tail);
    });
}

/// C = A^T B, or C += A^T B, with A (depth x rows, stride lda), B (depth x columns, stride ldb, rows readable
/// up to a whole vector), `columns` <= panel_columns<T>.
template <class T>
void multiply_outer_panel(std::size_t rows, std::size_t columns, product_depth depth, const T* a,
                          std::size_t lda, const T* b, std::size_t ldb, bool accumulate, T* c,
                          std::size_t ldc) {
    detail::with_vectors<T>(columns, [&](auto vectors, std::size_t tail) {
        detail::multiply_outer_panel<T, vectors()>(rows, depth, a, lda, b, ldb, accumulate, c, ldc, tail);
    });
}

/// C = op(A) op(B), or C += op(A) op(B), by OpenBLAS on the calling thread; row-major, op(A) is m x k.
template <class T>
void blas_product(bool transpose_a, bool transpose_b, std::size_t m, std::size_t n, std::size_t k, const T* a,
                  std::size_t lda, const T* b, std::size_t ldb, bool accumulate, T* c, std::size_t ldc) {
    // Debian's OpenBLAS has one thread count for the whole process. TBB is outside; threads of its own would
    // compete with ours for the cores.
    static const bool single_threaded = (openblas_set_num_threads(1), true);
    (void)single_threaded;
    // Read by columns, a row-major matrix is its transpose: C^T = op(B)^T op(A)^T.
    const auto product = [&](auto gemm) {
        const auto op = [](bool transpose) { return transpose ? "T" : "N"; };
        const auto rows = static_cast<blasint>(n), columns = static_cast<blasint>(m),
                   depth = static_cast<blasint>(k), stride_a = static_cast<blasint>(lda),
                   stride_b = static_cast<blasint>(ldb), stride_c = static_cast<blasint>(ldc);
        const T alpha{1}, beta = accumulate ? T{1} : T{0};
        gemm(op(transpose_b), op(transpose_a), &rows, &columns, &depth, &alpha, b, &stride_b, a, &stride_a,
             &beta, c, &stride_c);
    };
    if constexpr (std::is_same_v<T, float>)
        product(::sgemm_);
    else
        product(::dgemm_);
}

}  // namespace frostline::kernels
