// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/pass.hpp"
#include "frostline/kernels/convolution_steps.hpp"
#include "frostline/kernels/gemm.hpp"
#include "frostline/kernels/winograd_tiles.hpp"

#include <algorithm>
#include <cstddef>

/// 3 x 3 convolutions of stride 1 by Winograd's minimal filtering: the image is cut into tiles of Outputs x
/// Outputs results, and each of the (Outputs + 2)^2 "frequencies" of the transformed tiles is one matrix
/// product over all tiles of all images.
namespace frostline::inline FROSTLINE_ISA::kernels::winograd {

/// M = V U for one frequency: `rows` tiles, columns [column, column + width) of one panel.
template <class T>
void multiply_tiles(std::size_t rows, std::size_t inputs, const T* v, std::size_t v_stride, const T* u,
                    std::size_t column, std::size_t width, T* m, std::size_t m_stride) {
    if constexpr (own_product_is_fast) {
        constexpr std::size_t most_rows = 96;
        constexpr std::size_t block_depth = 128;  // of U: 32 KB, stays in L1
        const T* a[most_rows];
        T* c[most_rows];
        for (std::size_t row = 0; row < rows; row += most_rows) {
            const std::size_t count = std::min(most_rows, rows - row);
            for (std::size_t r = 0; r < count; ++r) {
                a[r] = v + (row + r) * v_stride;
                c[r] = m + (row + r) * m_stride + column;
                std::fill_n(c[r], width, T{0});
            }
            for (std::size_t k = 0; k < inputs; k += block_depth) {
                add_row_panel<T>(count, width, std::min(block_depth, inputs - k), a, k,
                                 u + column * inputs + k * width, width, c);
            }
        }
    } else {
        // One panel holds all columns.
        blas_product<T>(false, false, rows, width, inputs, v, v_stride, u, width, false, m + column,
                        m_stride);
    }
}

/// Sizes that the passes share.
template <std::size_t Outputs, class T>
struct plan {
    static constexpr std::size_t frequencies = (Outputs + 2) * (Outputs + 2);
    std::size_t v_stride, m_stride, v_distance, m_distance, padded_outputs, panel, panels;
    tiling tiles;
    bool staged;  // all threads work on one group after the other, instead of each on its own

    plan(const convolution_geometry& g, phase how)
        : v_stride(tile_stride<T>(g.input_channels)),
          m_stride(tile_stride<T>(g.output_channels)),
          padded_outputs(round_up(g.output_channels, lanes<T>)),
          panel(panel_of<T>(g.output_channels)),
          panels((padded_outputs + panel - 1) / panel) {
        const std::size_t bytes = frequencies * (v_stride + m_stride) * sizeof(T);
        const std::size_t total = tiles_of<Outputs>(g, 1).total;
        // OpenBLAS's bits depend on the number of rows: then a group must not leave its sample in inference.
        const bool alone = how == phase::inference && !own_product_is_fast;
        const std::size_t most = alone ? tiles_of<Outputs>(g, 1).of_image : total;
        const std::size_t group = std::clamp<std::size_t>(group_bytes / bytes, least_group, 240);
        staged = !alone && (total + group - 1) / group < 2 * static_cast<std::size_t>(threads());
        std::size_t size = staged ? total : std::min(group, most);
        while (alone && most % size != 0) ++size;
        tiles = tiles_of<Outputs>(g, size);
        v_distance = group_stride<T>(tiles.group, v_stride);
        m_distance = group_stride<T>(tiles.group, m_stride);
    }

    // V and M of a group pass through L2 together with U. Measured on 32 x 32 x 64: 512 KB gave 418 GFLOP/s a
    // core, 1 MB 366, 4 MB 348. At least 48 tiles share each reading of U, which is what counts with more
    // channels; OpenBLAS copies U at each call and wants more.
    static constexpr std::size_t group_bytes = std::size_t{1} << 19;
    static constexpr std::size_t least_group = own_product_is_fast ? 48 : 120;
    std::size_t v_size() const { return frequencies * v_distance; }
    std::size_t m_size() const { return frequencies * m_distance; }
};

/// y = epilogue(x * U).
template <std::size_t Outputs, class T>
void convolve(const convolution_geometry& g, const T* x, const T* u, const convolution_epilogue<T>& epilogue,
              T* y, const plan<Outputs, T>& p, workspace<T>& scratch) {
    using input = typename transforms<Outputs>::input;
    const std::size_t slots = p.staged ? 1 : static_cast<std::size_t>(threads());
    const auto v_lease = scratch.array(slots * p.v_size());
    const auto m_lease = scratch.array(slots * p.m_size());
    const auto zeros = scratch.array(p.v_stride);
    std::fill(zeros->begin(), zeros->end(), T{0});
    const std::size_t u_stride = frequency_stride<T>(g.input_channels, g.output_channels);

    const auto transform = [&](std::size_t begin, std::size_t end, T* v) {
        transform_tiles<input, Outputs, T>(p.tiles, begin, end, x, g.input_height, g.input_width,
                                           g.input_channels, g.padding_height, g.padding_width, zeros->data(),
                                           v, p.v_distance, p.v_stride);
    };
    const auto multiply = [&](std::size_t frequency, std::size_t panel, std::size_t first, std::size_t rows,
                              const T* v, T* m) {
        const std::size_t column = panel * p.panel;
        multiply_tiles<T>(rows, g.input_channels, v + frequency * p.v_distance + first * p.v_stride,
                          p.v_stride, u + frequency * u_stride, column,
                          std::min(p.panel, p.padded_outputs - column),
                          m + frequency * p.m_distance + first * p.m_stride, p.m_stride);
    };
    const auto finish_tiles = [&](std::size_t begin, std::size_t end, const T* m) {
        transform_output<Outputs, T>(g, p.tiles, begin, end, m, p.m_distance, p.m_stride, epilogue, y);
    };

    if (p.staged) {
        T* v = v_lease->data();
        T* m = m_lease->data();
        const std::size_t total = p.tiles.total;
        parallel_ranges(total, 2, [&](std::size_t begin, std::size_t end) {
            transform(begin, end, v + begin * p.v_stride);
        });
        constexpr std::size_t rows = 240;
        const std::size_t cuts = own_product_is_fast ? (total + rows - 1) / rows : 1;
        parallel_for(p.frequencies * p.panels * cuts, [&](std::size_t task) {
            const std::size_t first = task % cuts * rows;
            multiply(task / cuts / p.panels, task / cuts % p.panels, first,
                     cuts == 1 ? total : std::min(rows, total - first), v, m);
        });
        parallel_ranges(total, 2, [&](std::size_t begin, std::size_t end) {
            finish_tiles(begin, end, m + begin * p.m_stride);
        });
        return;
    }
    parallel_for(p.tiles.groups(), [&](std::size_t index) {
        const std::size_t begin = index * p.tiles.group;
        const std::size_t size = p.tiles.size_of(index);
        T* v = v_lease->data() + worker_index() * p.v_size();
        T* m = m_lease->data() + worker_index() * p.m_size();
        transform(begin, begin + size, v);
        for (std::size_t frequency = 0; frequency < p.frequencies; ++frequency) {
            for (std::size_t panel = 0; panel < p.panels; ++panel) multiply(frequency, panel, 0, size, v, m);
        }
        finish_tiles(begin, begin + size, m);
    });
}

template <std::size_t Outputs, class T>
void forward(const convolution_geometry& g, const T* x, const T* w, const convolution_epilogue<T>& epilogue,
             T* y, phase how, workspace<T>& scratch) {
    const plan<Outputs, T> p(g, how);
    const auto u = scratch.array(p.frequencies * frequency_stride<T>(g.input_channels, g.output_channels));
    transform_weights<Outputs, false>(g.input_channels, g.output_channels, w, u->data());
    convolve<Outputs, T>(g, x, u->data(), epilogue, y, p, scratch);
}

template <std::size_t Outputs, class T>
void backward_input(const convolution_geometry& g, const T* dy, const T* w, T* dx, workspace<T>& scratch) {
    const convolution_geometry t = transposed(g);
    const plan<Outputs, T> p(t, phase::training);
    const auto u = scratch.array(p.frequencies * frequency_stride<T>(t.input_channels, t.output_channels));
    transform_weights<Outputs, true>(t.input_channels, t.output_channels, w, u->data());
    convolve<Outputs, T>(t, dy, u->data(), convolution_epilogue<T>{}, dx, p, scratch);
}

/// V and dM of a group of tiles: with 64 channels 2 MB gave 373 GFLOP/s a core, 4 MB 350, 16 MB 240.
inline constexpr std::size_t gradient_group_bytes = std::size_t{3} << 20;

/// dw = G^T (sum over tiles of V^T dM) G, with dM = A dy A^T. Tiles pass in groups through L3: all threads
/// transform a group, then share out frequencies and channels, so that no partial sums have to be combined
/// and the result does not depend on the number of threads.
template <std::size_t Outputs, class T>
void backward_weights(const convolution_geometry& g, const T* x, const T* dy, T* dw, workspace<T>& scratch) {
    using input = typename transforms<Outputs>::input;
    using output_gradient = typename transforms<Outputs>::output_gradient;
    using filter_gradient = typename transforms<Outputs>::filter_gradient;
    constexpr std::size_t frequencies = (Outputs + 2) * (Outputs + 2);
    constexpr std::size_t block_depth = 128;
    const std::size_t v_stride = tile_stride<T>(g.input_channels);
    const std::size_t m_stride = tile_stride<T>(g.output_channels);
    const std::size_t padded = round_up(g.output_channels, lanes<T>);
    const std::size_t bytes = frequencies * (v_stride + m_stride) * sizeof(T);
    const std::size_t limit =
        std::max<std::size_t>(gradient_group_bytes / bytes / block_depth, 1) * block_depth;
    const tiling tiles = tiles_of<Outputs>(g, limit);
    const std::size_t v_distance = group_stride<T>(tiles.group, v_stride);
    const std::size_t m_distance = group_stride<T>(tiles.group, m_stride);
    const auto v_lease = scratch.array(frequencies * v_distance);
    const auto m_lease = scratch.array(frequencies * m_distance);
    const auto zeros = scratch.array(std::max(v_stride, m_stride));
    const std::size_t u_stride = g.input_channels * padded + alignment / sizeof(T);
    const auto du = scratch.array(frequencies * u_stride);
    std::fill(zeros->begin(), zeros->end(), T{0});
    T* v = v_lease->data();
    T* m = m_lease->data();

    const std::size_t panels = (padded + panel_columns<T> - 1) / panel_columns<T>;
    constexpr std::size_t slice_rows = 96;
    const std::size_t slices = own_product_is_fast ? (g.input_channels + slice_rows - 1) / slice_rows : 1;
    for (std::size_t index = 0; index < tiles.groups(); ++index) {
        const std::size_t first = index * tiles.group;
        const std::size_t size = tiles.size_of(index);
        parallel_ranges(size, 4, [&](std::size_t begin, std::size_t end) {
            transform_tiles<input, Outputs, T>(
                tiles, first + begin, first + end, x, g.input_height, g.input_width, g.input_channels,
                g.padding_height, g.padding_width, zeros->data(), v + begin * v_stride, v_distance, v_stride);
            transform_tiles<output_gradient, Outputs, T>(
                tiles, first + begin, first + end, dy, g.output_height, g.output_width, g.output_channels, 0,
                0, zeros->data(), m + begin * m_stride, m_distance, m_stride);
        });
        if constexpr (own_product_is_fast) {
            parallel_for(frequencies * panels * slices, [&](std::size_t task) {
                const std::size_t frequency = task / slices / panels;
                const std::size_t column = task / slices % panels * panel_columns<T>;
                const std::size_t width = std::min(panel_columns<T>, padded - column);
                const std::size_t row = task % slices * slice_rows;
                const std::size_t rows = std::min(slice_rows, g.input_channels - row);
                T* sum = du->data() + frequency * u_stride + row * padded + column;
                if (index == 0) {
                    for (std::size_t r = 0; r < rows; ++r) std::fill_n(sum + r * padded, width, T{0});
                }
                for (std::size_t k = 0; k < size; k += block_depth) {
                    add_outer_panel<T>(rows, width, std::min(block_depth, size - k),
                                       v + frequency * v_distance + k * v_stride + row, v_stride,
                                       m + frequency * m_distance + k * m_stride + column, m_stride, sum,
                                       padded);
                }
            });
        } else {
            parallel_for(frequencies, [&](std::size_t frequency) {
                blas_product<T>(true, false, g.input_channels, padded, size, v + frequency * v_distance,
                                v_stride, m + frequency * m_distance, m_stride, index != 0,
                                du->data() + frequency * u_stride, padded);
            });
        }
    }
    parallel_ranges(g.input_channels, 4, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            for (std::size_t column = 0; column < g.output_channels; column += lanes<T>) {
                both_axes<T, filter_gradient>(
                    [&](std::size_t i, std::size_t j) {
                        return load(du->data() + (i * filter_gradient::from + j) * u_stride + row * padded +
                                    column);
                    },
                    [&](std::size_t i, std::size_t j, const simd<T>& value) {
                        const std::size_t tap = i * 3 + j;
                        store_first<T>(dw + (tap * g.input_channels + row) * g.output_channels + column,
                                       value, g.output_channels - column);
                    });
            }
        }
    });
}

}  // namespace frostline::kernels::winograd
