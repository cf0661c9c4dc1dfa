// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/kernels/convolution_steps.hpp"
#include "frostline/kernels/gemm.hpp"
#include "frostline/kernels/winograd_convolution.hpp"

#include <algorithm>
#include <cstddef>

namespace frostline::inline FROSTLINE_ISA::kernels::winograd {

/// V and dM of a group of tiles: with 64 channels 2 MB gave 373 GFLOP/s a core, 4 MB 350, 16 MB 240.
inline constexpr std::size_t gradient_group_bytes = std::size_t{3} << 20;

/// dU = or += V^T dM for one frequency: `rows` input channels, `width` <= panel_columns output channels.
template <class T>
void multiply_gradients(std::size_t tiles, std::size_t rows, std::size_t width, const T* v,
                        std::size_t v_stride, const T* m, std::size_t m_stride, bool accumulate, T* du,
                        std::size_t du_stride) {
    if constexpr (own_product_is_fast) {
        constexpr std::size_t block_depth = 128;  // of dM: 32 KB, stays in L1
        for (std::size_t k = 0; k < tiles; k += block_depth) {
            multiply_outer_panel<T>(rows, width, std::min(block_depth, tiles - k), v + k * v_stride, v_stride,
                                    m + k * m_stride, m_stride, accumulate || k != 0, du, du_stride);
        }
    } else {
        blas_product<T>(true, false, rows, width, tiles, v, v_stride, m, m_stride, accumulate, du, du_stride);
    }
}

/// dw = G^T (sum over tiles of V^T dM) G, with dM = A dy A^T. Tiles pass in groups through L3: all threads
/// transform a group, then share out channels and frequencies, so that no partial sums have to be combined
/// and the result does not depend on the number of threads.
template <class Filtering, class T>
void backward_weights(const convolution_geometry& g, const T* x, const T* dy, T* dw, workspace<T>& scratch) {
    constexpr std::size_t frequencies = Filtering::frequencies;
    const std::size_t inputs = g.input_channels;
    const std::size_t bytes = bytes_of_tile<Filtering, T>(g);
    const std::size_t limit = std::max<std::size_t>(gradient_group_bytes / bytes / 128, 1) * 128;
    const tiling tiles = tiles_of<Filtering>(g, limit);
    const layout<T> at(g, tiles.group);
    const auto v = scratch.array(frequencies * at.v_distance);
    const auto m = scratch.array(frequencies * at.m_distance);
    const auto zeros = scratch.array(std::max(at.v_stride, at.m_stride));
    std::fill(zeros->begin(), zeros->end(), T{0});

    constexpr std::size_t slice = own_product_is_fast ? 96 : 1024;
    const std::size_t slices = (inputs + slice - 1) / slice;
    const auto du = scratch.array(frequencies * at.u_distance);
    for (std::size_t index = 0; index < tiles.groups(); ++index) {
        const std::size_t first = index * tiles.group;
        const std::size_t size = tiles.size_of(index);
        parallel_ranges(size, 4, [&](std::size_t begin, std::size_t end) {
            transform_input<Filtering>(g, tiles, first + begin, first + end, x, zeros->data(),
                                       v->data() + begin * at.v_stride, at.v_distance, at.v_stride);
            transform_tiles<typename Filtering::output_gradient, Filtering::outputs, T>(
                tiles, first + begin, first + end, dy, g.output_height, g.output_width, g.output_channels, 0,
                0, zeros->data(), m->data() + begin * at.m_stride, at.m_distance, at.m_stride);
        });
        parallel_for(frequencies * at.panels * slices, [&](std::size_t task) {
            const std::size_t row = task % slices * slice;
            const std::size_t column = task / slices % at.panels * at.panel;
            const std::size_t frequency = task / slices / at.panels;
            multiply_gradients<T>(size, std::min(slice, inputs - row), std::min(at.panel, at.padded - column),
                                  v->data() + frequency * at.v_distance + row, at.v_stride,
                                  m->data() + frequency * at.m_distance + column, at.m_stride, index != 0,
                                  du->data() + frequency * at.u_distance + row * at.padded + column,
                                  at.padded);
        });
    }
    parallel_ranges(inputs, 4, [&](std::size_t begin, std::size_t end) {
        for (std::size_t row = begin; row < end; ++row) {
            for (std::size_t column = 0; column < g.output_channels; column += lanes<T>) {
                both_axes<T, typename Filtering::filter_gradient>(
                    [&](std::size_t i, std::size_t j) {
                        return load(du->data() + (i * Filtering::filter_gradient::from + j) * at.u_distance +
                                    row * at.padded + column);
                    },
                    [&](std::size_t i, std::size_t j, const simd<T>& value) {
                        const std::size_t tap = i * 3 + j;
                        store_first<T>(dw + (tap * inputs + row) * g.output_channels + column, value,
                                       g.output_channels - column);
                    });
            }
        }
    });
}

}  // namespace frostline::kernels::winograd
