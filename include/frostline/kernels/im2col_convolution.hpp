// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/pass.hpp"
#include "frostline/kernels/convolution_steps.hpp"
#include "frostline/kernels/gemm.hpp"

#include <algorithm>
#include <cstddef>

/// Convolution as a matrix product: each row of a matrix is the patch of x under the kernel at one output
/// position, and weights in the order (kernel_height, kernel_width, input channels, output channels) are the
/// other factor as they lie. It serves small weight gradients that nothing better fits, and most geometries
/// in builds for plain x86-64, where OpenBLAS computes the products. In NHWC a kernel row of a patch
/// is contiguous, so making a patch is kernel_height copies. 1 x 1 convolutions and linear layers use x
/// itself as the matrix.
namespace frostline::inline FROSTLINE_ISA::kernels::im2col {

/// Whether x is its own matrix of patches.
constexpr bool is_pointwise(const convolution_geometry& g) {
    return g.kernel_height == 1 && g.kernel_width == 1 && g.stride_height == 1 && g.stride_width == 1 &&
           g.padding_height == 0 && g.padding_width == 0;
}

/// The rows that one product takes. OpenBLAS's bits depend on the number of rows, so that the cut is a
/// function of the geometry and the number of threads; in inference it is one of the geometry of a sample
/// alone.
struct chunking {
    std::size_t rows = 0;        // of one chunk
    std::size_t group_rows = 0;  // chunks do not cross groups: whole samples
    std::size_t groups = 0;
    std::size_t total_rows = 0;

    std::size_t chunks_in_group() const { return (group_rows + rows - 1) / rows; }
    std::size_t chunks() const { return groups * chunks_in_group(); }
    std::size_t begin(std::size_t chunk) const {
        return chunk / chunks_in_group() * group_rows + chunk % chunks_in_group() * rows;
    }
    std::size_t end(std::size_t chunk) const {
        const std::size_t group_end = (chunk / chunks_in_group() + 1) * group_rows;
        return std::min({begin(chunk) + rows, group_end, total_rows});
    }
};

inline chunking chunks_of(const convolution_geometry& g, phase how) {
    // 256 rows keep OpenBLAS near its peak and a chunk of patches in L2 or L3.
    constexpr std::size_t wanted_rows = 256;
    const std::size_t positions = g.output_positions();
    std::size_t samples = 1;
    if (how == phase::training && positions < wanted_rows) {
        samples = std::min(g.samples, std::max<std::size_t>(1, wanted_rows / positions));
        // An even share for every thread comes before large chunks.
        const std::size_t workers = static_cast<std::size_t>(threads());
        const std::size_t share = (g.samples + workers - 1) / workers;
        if (share * positions >= 64) samples = std::min(samples, share);
    }
    const std::size_t group_rows = samples * positions;
    const std::size_t cuts = (group_rows + wanted_rows - 1) / wanted_rows;
    return {(group_rows + cuts - 1) / cuts, group_rows, (g.samples + samples - 1) / samples,
            g.samples * positions};
}

/// Writes the patches of output positions [begin, end) of the batch as rows of `stride` elements.
template <class T>
void make_patches(const convolution_geometry& g, const T* x, std::size_t begin, std::size_t end, T* patches,
                  std::size_t stride) {
    const std::size_t channels = g.input_channels;
    for (std::size_t row = begin; row < end; ++row, patches += stride) {
        const std::size_t sample = row / g.output_positions();
        const std::size_t position = row % g.output_positions();
        const std::size_t top = position / g.output_width * g.stride_height;  // in coordinates with padding
        const std::size_t left = position % g.output_width * g.stride_width;
        // Columns [low, high) of the patch lie inside the image.
        const std::size_t low = std::min(g.kernel_width, g.padding_width > left ? g.padding_width - left : 0);
        const std::size_t reach = g.input_width + g.padding_width;
        const std::size_t high = std::max(low, std::min(g.kernel_width, reach > left ? reach - left : 0));
        T* to = patches;
        for (std::size_t ky = 0; ky < g.kernel_height; ++ky, to += g.kernel_width * channels) {
            const std::size_t y = top + ky;
            if (y < g.padding_height || y >= g.input_height + g.padding_height || low == high) {
                std::fill_n(to, g.kernel_width * channels, T{0});
                continue;
            }
            const T* line = x + (sample * g.input_height + y - g.padding_height) * g.input_width * channels;
            std::fill_n(to, low * channels, T{0});
            std::copy_n(line + (left + low - g.padding_width) * channels, (high - low) * channels,
                        to + low * channels);
            std::fill_n(to + high * channels, (g.kernel_width - high) * channels, T{0});
        }
    }
}

/// Adds patch gradients of output positions [begin, end) to the pixels of dx that they came from.
template <class T>
void add_patches(const convolution_geometry& g, const T* patches, std::size_t begin, std::size_t end, T* dx) {
    const std::size_t channels = g.input_channels;
    for (std::size_t row = begin; row < end; ++row, patches += g.patch_size()) {
        const std::size_t sample = row / g.output_positions();
        const std::size_t position = row % g.output_positions();
        const std::size_t top = position / g.output_width * g.stride_height;
        const std::size_t left = position % g.output_width * g.stride_width;
        for (std::size_t ky = 0; ky < g.kernel_height; ++ky) {
            const std::size_t y = top + ky;
            if (y < g.padding_height || y >= g.input_height + g.padding_height) continue;
            for (std::size_t kx = 0; kx < g.kernel_width; ++kx) {
                const std::size_t column = left + kx;
                if (column < g.padding_width || column >= g.input_width + g.padding_width) continue;
                const std::size_t pixel = (sample * g.input_height + y - g.padding_height) * g.input_width +
                                          column - g.padding_width;
                const T* from = patches + (ky * g.kernel_width + kx) * channels;
                for (std::size_t channel = 0; channel < channels; ++channel)
                    dx[pixel * channels + channel] += from[channel];
            }
        }
    }
}

/// Whether products go to OpenBLAS. Its calls on a few rows are slow and cannot be grouped in inference.
inline bool uses_blas(const convolution_geometry& g, phase how) {
    return !own_product_is_fast && (how == phase::training || g.output_positions() >= 16);
}

template <class T>
void forward(const convolution_geometry& g, const T* x, const T* w, const convolution_epilogue<T>& epilogue,
             T* y, phase how, workspace<T>& scratch) {
    const bool blas = uses_blas(g, how);
    const std::size_t workers = static_cast<std::size_t>(threads());
    const bool pointwise = is_pointwise(g);
    const chunking chunks = chunks_of(g, blas ? how : phase::training);
    const std::size_t depth = g.patch_size();
    const std::size_t columns = g.output_channels;
    const std::size_t padded = round_up(columns, lanes<T>);
    const auto patches = scratch.array(pointwise ? 0 : workers * chunks.rows * depth);
    const bool packs = !blas && padded != columns;
    const auto packed = scratch.array(packs ? depth * padded : 0);
    if (packs) pad_columns(depth, columns, w, packed->data(), padded);
    // Few rows and many columns, as in linear layers: the columns are shared out, too. Not in inference,
    // where the cut of OpenBLAS's columns must not follow the number of samples.
    const std::size_t wanted =
        how == phase::training ? (2 * workers + chunks.chunks() - 1) / chunks.chunks() : 1;
    const std::size_t block = std::max<std::size_t>(64, round_up((columns + wanted - 1) / wanted, 64));
    const std::size_t blocks = pointwise ? (columns + block - 1) / block : 1;

    parallel_for(chunks.chunks() * blocks, [&](std::size_t task) {
        const std::size_t begin = chunks.begin(task / blocks);
        const std::size_t end = chunks.end(task / blocks);
        if (begin >= end) return;
        const std::size_t column = task % blocks * block;
        const std::size_t width = blocks == 1 ? columns : std::min(block, columns - column);
        const T* a = x + begin * depth;
        if (!pointwise) {
            T* own = patches->data() + worker_index() * chunks.rows * depth;
            make_patches(g, x, begin, end, own, depth);
            a = own;
        }
        T* c = y + begin * columns + column;
        if (blas) {
            blas_product<T>(false, false, end - begin, width, depth, a, depth, w + column, columns, false, c,
                            columns);
        } else {
            const auto patch = [&](std::size_t row) { return a + row * depth; };
            multiply_rows<T>(end - begin, depth, patch, (packs ? packed->data() : w) + column, padded, width,
                             c, columns);
        }
        finish_rows(y, begin, end, columns, column, width, epilogue);
    });
}

/// Gradient of the input; always by OpenBLAS, since the direct engine does it wherever our own product is
/// fast.
template <class T>
void backward_input(const convolution_geometry& g, const T* dy, const T* w, T* dx, workspace<T>& scratch) {
    const bool pointwise = is_pointwise(g);
    const chunking chunks = chunks_of(g, phase::training);
    const std::size_t depth = g.patch_size();
    const std::size_t columns = g.output_channels;
    if (pointwise) {
        const std::size_t wanted =
            (2 * static_cast<std::size_t>(threads()) + chunks.chunks() - 1) / chunks.chunks();
        const std::size_t block = std::max<std::size_t>(64, round_up((depth + wanted - 1) / wanted, 64));
        const std::size_t blocks = (depth + block - 1) / block;
        parallel_for(chunks.chunks() * blocks, [&](std::size_t task) {
            const std::size_t begin = chunks.begin(task / blocks);
            const std::size_t end = chunks.end(task / blocks);
            if (begin >= end) return;
            const std::size_t first = task % blocks * block;
            blas_product<T>(false, true, end - begin, std::min(block, depth - first), columns,
                            dy + begin * columns, columns, w + first * columns, columns, false,
                            dx + begin * depth + first, depth);
        });
        return;
    }
    const auto patches = scratch.array(static_cast<std::size_t>(threads()) * chunks.rows * depth);
    // Patches overlap inside a sample, so that whole samples are the tasks.
    parallel_for(chunks.groups, [&](std::size_t group) {
        T* own = patches->data() + worker_index() * chunks.rows * depth;
        const std::size_t samples = chunks.group_rows / g.output_positions();
        const std::size_t last = std::min(g.samples, (group + 1) * samples);
        std::fill(dx + group * samples * g.input_size(), dx + last * g.input_size(), T{0});
        for (std::size_t part = 0; part < chunks.chunks_in_group(); ++part) {
            const std::size_t begin = chunks.begin(group * chunks.chunks_in_group() + part);
            const std::size_t end = chunks.end(group * chunks.chunks_in_group() + part);
            if (begin >= end) break;
            blas_product<T>(false, true, end - begin, depth, columns, dy + begin * columns, columns, w,
                            columns, false, own, depth);
            add_patches(g, own, begin, end, dx);
        }
    });
}

template <class T>
void backward_weights(const convolution_geometry& g, const T* x, const T* dy, T* dw, workspace<T>& scratch) {
    const bool pointwise = is_pointwise(g);
    const chunking chunks = chunks_of(g, phase::training);
    const std::size_t depth = g.patch_size();
    const std::size_t columns = g.output_channels;
    const std::size_t workers = static_cast<std::size_t>(threads());
    if (pointwise && (chunks.chunks() < 2 * workers || g.weight_size() >= std::size_t{1} << 20)) {
        // A large dw from few rows: its rows are shared out and nothing has to be combined.
        const std::size_t block =
            std::max<std::size_t>(16, round_up((depth + 2 * workers - 1) / (2 * workers), 16));
        parallel_for((depth + block - 1) / block, [&](std::size_t task) {
            const std::size_t first = task * block;
            blas_product<T>(true, false, std::min(block, depth - first), columns, chunks.total_rows,
                            x + first, depth, dy, columns, false, dw + first * columns, columns);
        });
        return;
    }
    // One partial sum a thread, over a fixed share of the chunks and combined in a fixed order: the result
    // depends on the number of threads but not on their timing.
    const std::size_t parts = std::min(workers, chunks.chunks());
    const std::size_t share = (chunks.chunks() + parts - 1) / parts;
    const std::size_t padded = round_up(columns, lanes<T>);
    const auto partials = scratch.array(parts * g.weight_size());
    const auto patches = scratch.array(pointwise ? 0 : parts * chunks.rows * depth);
    const auto packed =
        scratch.array(own_product_is_fast && padded != columns ? parts * chunks.rows * padded : 0);
    parallel_for(parts, [&](std::size_t part) {
        T* sum = partials->data() + part * g.weight_size();
        std::fill_n(sum, g.weight_size(), T{0});
        for (std::size_t chunk = part * share; chunk < std::min(chunks.chunks(), (part + 1) * share);
             ++chunk) {
            const std::size_t begin = chunks.begin(chunk);
            const std::size_t end = chunks.end(chunk);
            if (begin >= end) continue;
            const T* a = x + begin * depth;
            if (!pointwise) {
                T* own = patches->data() + part * chunks.rows * depth;
                make_patches(g, x, begin, end, own, depth);
                a = own;
            }
            const T* b = dy + begin * columns;
            if constexpr (own_product_is_fast) {
                if (padded != columns) {
                    T* own = packed->data() + part * chunks.rows * padded;
                    pad_columns(end - begin, columns, b, own, padded);
                    b = own;
                }
                constexpr std::size_t block = 128;  // rows of dy whose panel stays in L1
                for (std::size_t k = 0; k < end - begin; k += block) {
                    for (std::size_t column = 0; column < columns; column += panel_columns<T>) {
                        multiply_outer_panel<T>(depth, std::min(panel_columns<T>, columns - column),
                                                std::min(block, end - begin - k), a + k * depth, depth,
                                                b + k * padded + column, padded, true, sum + column, columns);
                    }
                }
            } else {
                blas_product<T>(true, false, depth, columns, end - begin, a, depth, b, columns, true, sum,
                                columns);
            }
        }
    });
    combine_partials(partials->data(), parts, g.weight_size(), dw);
}

}  // namespace frostline::kernels::im2col
