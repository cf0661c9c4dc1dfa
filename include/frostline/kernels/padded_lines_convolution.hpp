// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/kernels/convolution_steps.hpp"
#include "frostline/kernels/gemm.hpp"

#include <algorithm>
#include <cstddef>

/// Convolution of images with few channels, whose patches are short: the first layer of most networks. Lines
/// of an image are copied with their padding, after which every patch is kernel_height runs of kernel_width *
/// input_channels elements that lie in the copy as they are needed. The micro-kernels take them from there.
///
/// Next to im2col this saves the copies of patches, which overlap: 9 times the image for 3 x 3. With 3 input
/// and 64 output channels they took longer than the products.
namespace frostline::inline FROSTLINE_ISA::kernels::padded_lines {

/// The lines of output that one task computes: a function of the geometry of one sample alone.
struct line_tasks {
    std::size_t lines = 0;      ///< of one task, the last of a sample may have fewer
    std::size_t of_sample = 0;  ///< tasks
    std::size_t line_size = 0;  ///< elements of a padded line of x
    std::size_t copy_size = 0;  ///< elements of the padded lines that one task reads

    explicit line_tasks(const convolution_geometry& g) {
        constexpr std::size_t wanted_rows = 256;
        lines = std::clamp<std::size_t>(wanted_rows / g.output_width, 1, g.output_height);
        of_sample = (g.output_height + lines - 1) / lines;
        line_size = (g.input_width + 2 * g.padding_width) * g.input_channels;
        copy_size = ((lines - 1) * g.stride_height + g.kernel_height) * line_size;
    }
    std::size_t first_line(std::size_t task) const { return task % of_sample * lines; }
};

/// Copies the lines of sample `x` under the output lines [first, first + lines), with zeros around them.
template <class T>
void copy_lines(const convolution_geometry& g, const T* x, std::size_t first, std::size_t lines, T* to) {
    const std::size_t inside = g.input_width * g.input_channels;
    const std::size_t padding = g.padding_width * g.input_channels;
    const std::size_t count = (lines - 1) * g.stride_height + g.kernel_height;
    for (std::size_t line = 0; line < count; ++line, to += inside + 2 * padding) {
        const std::size_t y = first * g.stride_height + line;  // in coordinates with padding
        if (y < g.padding_height || y >= g.input_height + g.padding_height) {
            std::fill_n(to, inside + 2 * padding, T{0});
            continue;
        }
        std::fill_n(to, padding, T{0});
        std::copy_n(x + (y - g.padding_height) * inside, inside, to + padding);
        std::fill_n(to + padding + inside, padding, T{0});
    }
}

template <class T>
void forward(const convolution_geometry& g, const T* x, const T* w, const convolution_epilogue<T>& epilogue,
             T* y, workspace<T>& scratch) {
    const line_tasks tasks(g);
    const std::size_t columns = g.output_channels;
    const std::size_t stride = round_up(columns, lanes<T>);
    const std::size_t run = g.kernel_width * g.input_channels;
    const auto copies = scratch.array(static_cast<std::size_t>(threads()) * tasks.copy_size);
    const auto packed = scratch.array(stride == columns ? 0 : g.patch_size() * stride);
    if (stride != columns) pad_columns(g.patch_size(), columns, w, packed->data(), stride);
    const T* const weights = stride == columns ? w : packed->data();

    parallel_for(g.samples * tasks.of_sample, [&](std::size_t task) {
        const std::size_t sample = task / tasks.of_sample;
        const std::size_t first = tasks.first_line(task);
        const std::size_t lines = std::min(tasks.lines, g.output_height - first);
        T* const copy = copies->data() + worker_index() * tasks.copy_size;
        copy_lines(g, x + sample * g.input_size(), first, lines, copy);
        const auto patch = [&](std::size_t row) {
            return copy + row / g.output_width * g.stride_height * tasks.line_size +
                   row % g.output_width * g.stride_width * g.input_channels;
        };
        const std::size_t begin = (sample * g.output_height + first) * g.output_width;
        const std::size_t rows = lines * g.output_width;
        multiply_rows<T>(rows, {run, g.kernel_height, tasks.line_size}, patch, weights, stride, columns,
                         y + begin * columns, columns);
        finish_rows(y, begin, begin + rows, columns, 0, columns, epilogue);
    });
}

/// For each line of the kernel, the product of copied lines, read as overlapping rows of one run each, with
/// the lines of dy above them.
template <class T>
void backward_weights(const convolution_geometry& g, const T* x, const T* dy, T* dw, workspace<T>& scratch) {
    constexpr std::size_t block = 128;  // rows of dy whose panel stays in L1
    const line_tasks tasks(g);
    const std::size_t columns = g.output_channels;
    const std::size_t stride = round_up(columns, lanes<T>);
    const std::size_t run = g.kernel_width * g.input_channels;
    const std::size_t block_lines = std::clamp<std::size_t>(block / g.output_width, 1, tasks.lines);
    const std::size_t block_width = std::min(block, g.output_width);
    // One partial sum a thread, over a fixed share of the tasks and combined in a fixed order: the result
    // depends on the number of threads but not on their timing.
    const std::size_t count = g.samples * tasks.of_sample;
    const std::size_t parts = std::min(static_cast<std::size_t>(threads()), count);
    const auto partials = scratch.array(parts * g.weight_size());
    const auto copies = scratch.array(parts * tasks.copy_size);
    const std::size_t packed_size = stride == columns ? 0 : block_lines * g.output_width * stride;
    const auto packed = scratch.array(parts * packed_size);

    parallel_for(parts, [&](std::size_t part) {
        T* const sum = partials->data() + part * g.weight_size();
        T* const copy = copies->data() + part * tasks.copy_size;
        T* const dense = packed->data() + part * packed_size;
        const auto add_lines = [&](const T* lines, std::size_t number, const T* dy_lines) {
            const T* b = dy_lines;
            if (packed_size > 0) {
                pad_columns(number * g.output_width, columns, dy_lines, dense, stride);
                b = dense;
            }
            for (std::size_t k = 0; k < g.output_width; k += block_width) {
                const product_depth depth(std::min(block_width, g.output_width - k), number,
                                          g.stride_height * tasks.line_size);
                const T* const a = lines + k * g.stride_width * g.input_channels;
                for (std::size_t column = 0; column < columns; column += panel_columns<T>)
                    for (std::size_t ky = 0; ky < g.kernel_height; ++ky)
                        multiply_outer_panel<T>(run, std::min(panel_columns<T>, columns - column), depth,
                                                a + ky * tasks.line_size, g.stride_width * g.input_channels,
                                                b + k * stride + column, stride, true,
                                                sum + ky * run * columns + column, columns);
            }
        };
        std::fill_n(sum, g.weight_size(), T{0});
        for (std::size_t task = part * count / parts; task < (part + 1) * count / parts; ++task) {
            const std::size_t sample = task / tasks.of_sample;
            const std::size_t first = tasks.first_line(task);
            const std::size_t lines = std::min(tasks.lines, g.output_height - first);
            copy_lines(g, x + sample * g.input_size(), first, lines, copy);
            for (std::size_t line = 0; line < lines; line += block_lines)
                add_lines(copy + line * g.stride_height * tasks.line_size,
                          std::min(block_lines, lines - line),
                          dy + (sample * g.output_height + first + line) * g.output_width * columns);
        }
    });
    combine_partials(partials->data(), parts, g.weight_size(), dw);
}

}  // namespace frostline::kernels::padded_lines
