// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/parallel.hpp"
#include "frostline/core/workspace.hpp"
#include "frostline/kernels/convolution_geometry.hpp"
#include "frostline/kernels/gemm.hpp"
#include "frostline/kernels/simd.hpp"

#include <algorithm>
#include <cstddef>

namespace frostline::inline FROSTLINE_ISA::kernels {

/// The positions of one axis at which one tap of the kernel meets the image: output positions first, first +
/// 1, ... (count of them), and input positions input_first, input_first + stride, ...
struct tap_run {
    std::size_t first = 0;
    std::size_t count = 0;
    std::size_t input_first = 0;
    std::size_t stride = 1;
};

constexpr tap_run run_of_tap(std::size_t tap, std::size_t stride, std::size_t padding, std::size_t input,
                             std::size_t output) {
    const std::size_t first = tap >= padding ? 0 : (padding - tap + stride - 1) / stride;
    const std::size_t reach = input + padding > tap ? (input + padding - tap + stride - 1) / stride : 0;
    const std::size_t last = std::min(output, reach);
    if (last <= first) return {0, 0, 0, stride};
    return {first, last - first, first * stride + tap - padding, stride};
}

/// The last step of a forward pass for one vector of output channels, while it is in a register.
template <class T>
[[gnu::always_inline]] inline simd<T> finish(simd<T> value, const convolution_epilogue<T>& epilogue,
                                             std::size_t channel, const T* addend, std::size_t count) {
    if (epilogue.scale) value *= load_first(epilogue.scale + channel, count);
    if (epilogue.shift) value += load_first(epilogue.shift + channel, count);
    if (addend) value += load_first(addend, count);
    if (epilogue.relu) value = value < T{0} ? simd<T>{} : value;  // keeps NaN, which must not pass for zero
    return value;
}

/// Finishes channels [channel, channel + channels) of rows [begin, end) of y, whose rows are `stride` apart.
template <class T>
void finish_rows(T* y, std::size_t begin, std::size_t end, std::size_t stride, std::size_t channel,
                 std::size_t channels, const convolution_epilogue<T>& epilogue) {
    if (!epilogue.scale && !epilogue.shift && !epilogue.addend && !epilogue.relu) return;
    for (std::size_t row = begin; row < end; ++row) {
        for (std::size_t done = 0; done < channels; done += lanes<T>) {
            const std::size_t at = row * stride + channel + done;
            const std::size_t count = std::min(lanes<T>, channels - done);
            const T* addend = epilogue.addend ? epilogue.addend + at : nullptr;
            store_first<T>(
                y + at, finish<T>(load_first(y + at, count), epilogue, channel + done, addend, count), count);
        }
    }
}

/// Rows of A, row_of(number) being where one begins, times packed weights (columns padded to whole vectors),
/// by the micro-kernels: bits of a row depend on that row alone.
template <class T, class RowOf>
void multiply_rows(std::size_t rows, product_depth depth, const RowOf& row_of, const T* b, std::size_t ldb,
                   std::size_t columns, T* c, std::size_t ldc) {
    constexpr std::size_t step = 48;
    const T* a_row[step];
    T* c_row[step];
    for (std::size_t row = 0; row < rows; row += step) {
        const std::size_t count = std::min(step, rows - row);
        for (std::size_t r = 0; r < count; ++r) a_row[r] = row_of(row + r);
        for (std::size_t column = 0; column < columns; column += panel_columns<T>) {
            for (std::size_t r = 0; r < count; ++r) c_row[r] = c + (row + r) * ldc + column;
            multiply_row_panel<T>(count, std::min(panel_columns<T>, columns - column), depth, a_row, 0,
                                  b + column, ldb, false, c_row);
        }
    }
}

/// Copies a matrix to rows of whole vectors, the rest zero, for kernels that read whole vectors.
template <class T>
void pad_columns(std::size_t rows, std::size_t columns, const T* from, T* to, std::size_t stride) {
    for (std::size_t row = 0; row < rows; ++row) {
        std::copy_n(from + row * columns, columns, to + row * stride);
        std::fill_n(to + row * stride + columns, stride - columns, T{0});
    }
}

/// sum[i] = partials[0][i] + partials[1][i] + ..., in this order whatever the number of threads that add.
template <class T>
void combine_partials(const T* partials, std::size_t parts, std::size_t size, T* sum) {
    parallel_ranges(size, std::size_t{1} << 14, [&](std::size_t begin, std::size_t end) {
        std::copy(partials + begin, partials + end, sum + begin);
        for (std::size_t part = 1; part < parts; ++part) {
            const T* partial = partials + part * size;
            for (std::size_t index = begin; index < end; ++index) sum[index] += partial[index];
        }
    });
}

}  // namespace frostline::kernels
