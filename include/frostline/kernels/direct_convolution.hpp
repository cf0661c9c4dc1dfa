// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/kernels/convolution_steps.hpp"
#include "frostline/kernels/gemm.hpp"

#include <algorithm>
#include <cstddef>

/// Convolution without a matrix of patches. For one tap of the kernel, the product of an image with the tap's
/// (input channels x output channels) weights is a plain matrix product whose rows are pixels; only which row
/// of x goes to which row of y differs from tap to tap. The micro-kernels take both by pointer, so each tap
/// runs over the list of rows where it meets the image: nothing is copied, and the taps that fall on padding
/// cost nothing, which is 5 of 9 at 2 x 2 and 44 of 144 at 4 x 4. A 1 x 1 convolution and a linear layer are
/// one tap.
///
/// Sums over taps pass through y in cache; with 64 channels that is 4% of the work, and with few channels it
/// dominates: those take padded lines.
namespace frostline::inline FROSTLINE_ISA::kernels::direct {

/// Depth of a block of weights: 128 x 64 floats are 32 KB, which stays in L1 while the rows of x pass by.
inline constexpr std::size_t block_depth = 128;
/// Rows of y of one task: enough to pay for the copy of each block of weights, few enough to stay in L2.
inline constexpr std::size_t task_rows = 240;

/// Lists, for rows [begin, end) of the output grid (or of the input grid if `ByInput`), the rows where one
/// tap meets the image: visit(input row, output row), as indices of pixels of the whole batch.
template <bool ByInput, class Visit>
[[gnu::always_inline]] inline void for_each_meeting(const convolution_geometry& g, std::size_t tap,
                                                    std::size_t begin, std::size_t end, const Visit& visit) {
    const tap_run vertical =
        run_of_tap(tap / g.kernel_width, g.stride_height, g.padding_height, g.input_height, g.output_height);
    const tap_run horizontal =
        run_of_tap(tap % g.kernel_width, g.stride_width, g.padding_width, g.input_width, g.output_width);
    if (vertical.count == 0 || horizontal.count == 0) return;
    const std::size_t height = ByInput ? g.input_height : g.output_height;
    const std::size_t width = ByInput ? g.input_width : g.output_width;
    for (std::size_t row = begin; row < end;) {
        const std::size_t line = row / width;
        const std::size_t low = row % width;
        const std::size_t high = std::min(width, low + (end - row));
        row += high - low;
        const std::size_t sample = line / height;
        std::size_t y = line % height;  // of the output grid from here on
        if constexpr (ByInput) {
            if (y < vertical.input_first || (y - vertical.input_first) % vertical.stride != 0) continue;
            y = vertical.first + (y - vertical.input_first) / vertical.stride;
        }
        if (y < vertical.first || y >= vertical.first + vertical.count) continue;
        // The part of the horizontal run whose pixels lie in [low, high) of this line.
        const auto steps_before = [&](std::size_t position) {
            const std::size_t start = ByInput ? horizontal.input_first : horizontal.first;
            const std::size_t step = ByInput ? horizontal.stride : 1;
            return position <= start ? 0 : std::min(horizontal.count, (position - start + step - 1) / step);
        };
        const std::size_t first = steps_before(low);
        const std::size_t last = steps_before(high);
        const std::size_t input_y = vertical.input_first + (y - vertical.first) * vertical.stride;
        std::size_t input = (sample * g.input_height + input_y) * g.input_width + horizontal.input_first +
                            first * horizontal.stride;
        std::size_t output = (sample * g.output_height + y) * g.output_width + horizontal.first + first;
        for (std::size_t step = first; step < last; ++step, input += horizontal.stride, ++output)
            visit(input, output);
    }
}

/// target (grid of `ByInput`) = sum over taps of source times the tap's weights (transposed if ByInput): the
/// forward pass or the gradient of the input, which only swap the roles of the two grids.
template <bool ByInput, class T>
void add_taps(const convolution_geometry& g, const T* source, const T* w, T* target,
              const convolution_epilogue<T>& epilogue) {
    const std::size_t depth = ByInput ? g.output_channels : g.input_channels;
    const std::size_t columns = ByInput ? g.input_channels : g.output_channels;
    const std::size_t rows = g.samples * (ByInput ? g.input_height * g.input_width : g.output_positions());
    const std::size_t panels = (columns + panel_columns<T> - 1) / panel_columns<T>;
    // Smaller tasks where there would be fewer than four a thread; the bits of a row do not depend on it.
    const std::size_t wanted = std::max<std::size_t>(1, 4 * static_cast<std::size_t>(threads()) / panels);
    const std::size_t step = std::clamp<std::size_t>(round_up((rows + wanted - 1) / wanted, 6), 6, task_rows);
    const std::size_t ranges = (rows + step - 1) / step;
    // Neighbouring tasks, mostly of one thread, share pixels if all weights fit in L2, else they share
    // weights.
    const bool by_rows = g.weight_size() * sizeof(T) <= std::size_t{1} << 19;

    // The only tap of a 1 x 1 kernel meets every row.
    const bool overwrites = g.kernel_height * g.kernel_width == 1 &&
                            g.padding_height + g.padding_width == 0 &&
                            (!ByInput || g.stride_height * g.stride_width == 1);

    parallel_for(ranges * panels, [&](std::size_t task) {
        const std::size_t begin = (by_rows ? task / panels : task % ranges) * step;
        const std::size_t end = std::min(rows, begin + step);
        const std::size_t column = (by_rows ? task % panels : task / ranges) * panel_columns<T>;
        const std::size_t width = std::min(panel_columns<T>, columns - column);
        alignas(alignment) T block[block_depth * panel_columns<T>];
        const T* a[task_rows];
        T* c[task_rows];

        if (!overwrites) {
            for (std::size_t row = begin; row < end; ++row)
                std::fill_n(target + row * columns + column, width, T{0});
        }
        for (std::size_t tap = 0; tap < g.kernel_height * g.kernel_width; ++tap) {
            std::size_t count = 0;
            for_each_meeting<ByInput>(g, tap, begin, end, [&](std::size_t input, std::size_t output) {
                a[count] = source + (ByInput ? output : input) * depth;
                c[count++] = target + (ByInput ? input : output) * columns + column;
            });
            if (count == 0) continue;
            for (std::size_t k = 0; k < depth; k += block_depth) {
                const std::size_t size = std::min(block_depth, depth - k);
                const std::size_t stride = round_up(width, lanes<T>);
                const bool accumulate = !overwrites || k != 0;
                if constexpr (ByInput) {
                    if (stride != width) std::fill_n(block, size * stride, T{0});
                    transpose(width, size, w + (tap * columns + column) * depth + k, depth, block, stride);
                    multiply_row_panel<T>(count, width, size, a, k, block, stride, accumulate, c);
                } else {
                    const T* weights = w + (tap * depth + k) * columns + column;
                    // A copy packs the block densely for L1; for a few rows it would cost more than it saves.
                    if (stride == width && (count < 24 || columns == width)) {
                        multiply_row_panel<T>(count, width, size, a, k, weights, columns, accumulate, c);
                    } else {
                        for (std::size_t i = 0; i < size; ++i) {
                            for (std::size_t j = 0; j < width; j += lanes<T>) {
                                store<T>(block + i * stride + j,
                                         load_first(weights + i * columns + j, width - j));
                            }
                        }
                        multiply_row_panel<T>(count, width, size, a, k, block, stride, accumulate, c);
                    }
                }
            }
        }
        finish_rows(target, begin, end, columns, column, width, epilogue);
    });
}

template <class T>
void forward(const convolution_geometry& g, const T* x, const T* w, const convolution_epilogue<T>& epilogue,
             T* y) {
    add_taps<false>(g, x, w, y, epilogue);
}

template <class T>
void backward_input(const convolution_geometry& g, const T* dy, const T* w, T* dx) {
    add_taps<true>(g, dy, w, dx, convolution_epilogue<T>{});
}

/// Weight gradients: for each tap, the sum over its meetings of the outer product of a row of x with a row of
/// dy. Rows of both are gathered into dense blocks: straight from x and dy, whose rows are a power of two
/// apart, they would compete for a few sets of L1.
template <class T>
void backward_weights(const convolution_geometry& g, const T* x, const T* dy, T* dw, workspace<T>& scratch) {
    constexpr std::size_t block_rows = 96;  // of dw: input channels of one gathered block of x
    constexpr std::size_t task_blocks = 4;  // that share a gathered block of dy
    const std::size_t rows = g.samples * g.output_positions();
    const std::size_t taps = g.kernel_height * g.kernel_width;
    const std::size_t panels = (g.output_channels + panel_columns<T> - 1) / panel_columns<T>;
    const std::size_t slices = (g.input_channels + block_rows * task_blocks - 1) / (block_rows * task_blocks);
    const std::size_t tasks = taps * panels * slices;
    // The sum is split only when dw alone has too few tasks. The parts are combined in order, so that the
    // result depends on the number of threads but not on their timing.
    const std::size_t wanted = (4 * static_cast<std::size_t>(threads()) + tasks - 1) / tasks;
    const std::size_t parts = std::clamp<std::size_t>(std::min(wanted, rows / 1024), 1, 64);
    const std::size_t part_rows = (rows + parts - 1) / parts;
    const auto partials = scratch.array(parts == 1 ? 0 : parts * g.weight_size());

    parallel_for(tasks * parts, [&](std::size_t task) {
        const std::size_t part = task / tasks;
        const std::size_t tap = task % taps;
        const std::size_t column = task / taps % panels * panel_columns<T>;
        const std::size_t slice = task / taps / panels % slices * block_rows * task_blocks;
        const std::size_t width = std::min(panel_columns<T>, g.output_channels - column);
        const std::size_t stride = round_up(width, lanes<T>);
        const std::size_t height = std::min(block_rows * task_blocks, g.input_channels - slice);
        T* sum = (parts == 1 ? dw : partials->data() + part * g.weight_size()) +
                 (tap * g.input_channels + slice) * g.output_channels + column;
        alignas(alignment) T x_block[block_depth * block_rows];
        alignas(alignment) T dy_block[block_depth * panel_columns<T>];
        const T* x_row[block_depth];
        const T* dy_row[block_depth];
        std::size_t count = 0;

        bool accumulate = false;
        const auto add_block = [&] {
            for (std::size_t k = 0; k < count; ++k) {
                for (std::size_t j = 0; j < width; j += lanes<T>) {
                    store<T>(dy_block + k * stride + j, load_first(dy_row[k] + j, width - j));
                }
            }
            for (std::size_t row = 0; row < height; row += block_rows) {
                const std::size_t size = std::min(block_rows, height - row);
                for (std::size_t k = 0; k < count; ++k) {
                    for (std::size_t i = 0; i < size; i += lanes<T>) {
                        store<T>(x_block + k * block_rows + i, load_first(x_row[k] + row + i, size - i));
                    }
                }
                multiply_outer_panel<T>(size, width, count, x_block, block_rows, dy_block, stride, accumulate,
                                        sum + row * g.output_channels, g.output_channels);
            }
            count = 0;
            accumulate = true;
        };
        const std::size_t end = std::min(rows, (part + 1) * part_rows);
        for_each_meeting<false>(g, tap, std::min(rows, part * part_rows), end,
                                [&](std::size_t input, std::size_t output) {
                                    x_row[count] = x + input * g.input_channels + slice;
                                    dy_row[count] = dy + output * g.output_channels + column;
                                    if (++count == block_depth) add_block();
                                });
        if (count != 0) add_block();
        if (accumulate) return;
        for (std::size_t row = 0; row < height; ++row)  // a tap that meets nothing
            std::fill_n(sum + row * g.output_channels, width, T{0});
    });
    if (parts > 1) combine_partials(partials->data(), parts, g.weight_size(), dw);
}

}  // namespace frostline::kernels::direct
