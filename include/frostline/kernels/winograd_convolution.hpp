// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/pass.hpp"
#include "frostline/kernels/convolution_steps.hpp"
#include "frostline/kernels/gemm.hpp"
#include "frostline/kernels/winograd_tiles.hpp"

#include <algorithm>
#include <cstddef>

/// 3 x 3 convolutions of stride 1 by Winograd's minimal filtering: the image is cut into tiles, and each of
/// the "frequencies" of the transformed tiles is one matrix product over all tiles of all images.
namespace frostline::inline FROSTLINE_ISA::kernels::winograd {

/// M = V U for one frequency: `rows` tiles and a panel of `width` output channels.
template <class T>
void multiply_tiles(std::size_t rows, std::size_t width, std::size_t inputs, const T* v, std::size_t v_stride,
                    const T* u, T* m, std::size_t m_stride) {
    if constexpr (own_product_is_fast) {
        constexpr std::size_t most_rows = 96;
        constexpr std::size_t block_depth = 128;  // of U: 32 KB, stays in L1
        const T* a[most_rows];
        T* c[most_rows];
        for (std::size_t row = 0; row < rows; row += most_rows) {
            const std::size_t count = std::min(most_rows, rows - row);
            for (std::size_t r = 0; r < count; ++r) {
                a[r] = v + (row + r) * v_stride;
                c[r] = m + (row + r) * m_stride;
            }
            for (std::size_t k = 0; k < inputs; k += block_depth) {
                multiply_row_panel<T>(count, width, std::min(block_depth, inputs - k), a, k, u + k * width,
                                      width, k != 0, c);
            }
        }
    } else {
        // One panel holds all columns.
        blas_product<T>(false, false, rows, width, inputs, v, v_stride, u, width, false, m, m_stride);
    }
}

/// V: the tiles [begin, end) of x.
template <class Filtering, class T>
void transform_input(const convolution_geometry& g, const tiling& tiles, std::size_t begin, std::size_t end,
                     const T* x, const T* zeros, T* v, std::size_t distance, std::size_t stride) {
    transform_tiles<typename Filtering::input, Filtering::outputs, T>(
        tiles, begin, end, x, g.input_height, g.input_width, g.input_channels,
        Filtering::overlaps ? g.padding_height : 0, Filtering::overlaps ? g.padding_width : 0, zeros, v,
        distance, stride);
}

/// V and M of a group pass through L2 together with U. Measured on 32 x 32 x 64: 512 KB gave 418 GFLOP/s a
/// core, 1 MB 366, 4 MB 348. At least 48 tiles share each reading of U, which is what counts with more
/// channels; OpenBLAS copies U at each call and wants more.
inline constexpr std::size_t group_bytes = std::size_t{1} << 19;
inline constexpr std::size_t least_group = own_product_is_fast ? 48 : 120;

/// Many tiles: each thread takes a group of them from x to y, through L2, and all share U.
template <class Filtering, bool Transposed, class T>
void convolve_by_groups(const convolution_geometry& g, const tiling& tiles, const T* x, const T* w,
                        const convolution_epilogue<T>& epilogue, T* y, workspace<T>& scratch) {
    constexpr std::size_t frequencies = Filtering::frequencies;
    const std::size_t inputs = g.input_channels, outputs = g.output_channels;
    const layout<T> at(g, tiles.group);
    const auto workers = static_cast<std::size_t>(threads());
    const auto u = scratch.array(frequencies * at.u_distance);
    const auto v_lease = scratch.array(workers * frequencies * at.v_distance);
    const auto m_lease = scratch.array(workers * frequencies * at.m_distance);
    const auto zeros = scratch.array(at.v_stride);
    std::fill(zeros->begin(), zeros->end(), T{0});

    transform_weights<Filtering, Transposed>(inputs, outputs, w, u->data());
    parallel_for(tiles.groups(), [&](std::size_t index) {
        const std::size_t begin = index * tiles.group;
        const std::size_t size = tiles.size_of(index);
        T* v = v_lease->data() + worker_index() * frequencies * at.v_distance;
        T* m = m_lease->data() + worker_index() * frequencies * at.m_distance;
        transform_input<Filtering>(g, tiles, begin, begin + size, x, zeros->data(), v, at.v_distance,
                                   at.v_stride);
        for (std::size_t frequency = 0; frequency < frequencies; ++frequency) {
            for (std::size_t column = 0; column < at.padded; column += at.panel) {
                multiply_tiles<T>(size, std::min(at.panel, at.padded - column), inputs,
                                  v + frequency * at.v_distance, at.v_stride,
                                  u->data() + frequency * at.u_distance + column * inputs,
                                  m + frequency * at.m_distance + column, at.m_stride);
            }
        }
        transform_output<Filtering>(g, tiles, begin, begin + size, m, at.m_distance, at.m_stride, epilogue,
                                    y);
    });
}

/// Few tiles: all threads work on all of them, one step after the other, and share out frequencies and panels
/// of output channels in the product. (Transforming the weights inside of the product, panel by panel, to
/// keep U in L2, was half as fast with 512 channels.)
template <class Filtering, bool Transposed, class T>
void convolve_by_steps(const convolution_geometry& g, const tiling& tiles, const T* x, const T* w,
                       const convolution_epilogue<T>& epilogue, T* y, workspace<T>& scratch) {
    constexpr std::size_t frequencies = Filtering::frequencies;
    const std::size_t inputs = g.input_channels, outputs = g.output_channels;
    const layout<T> at(g, tiles.total);
    const auto u = scratch.array(frequencies * at.u_distance);
    const auto v = scratch.array(frequencies * at.v_distance);
    const auto m = scratch.array(frequencies * at.m_distance);
    const auto zeros = scratch.array(at.v_stride);
    std::fill(zeros->begin(), zeros->end(), T{0});

    transform_weights<Filtering, Transposed>(inputs, outputs, w, u->data());
    parallel_ranges(tiles.total, 2, [&](std::size_t begin, std::size_t end) {
        transform_input<Filtering>(g, tiles, begin, end, x, zeros->data(), v->data() + begin * at.v_stride,
                                   at.v_distance, at.v_stride);
    });
    constexpr std::size_t most_rows = 240;
    const std::size_t cuts = own_product_is_fast ? (tiles.total + most_rows - 1) / most_rows : 1;
    const std::size_t rows = cuts == 1 ? tiles.total : most_rows;
    parallel_for(frequencies * at.panels * cuts, [&](std::size_t task) {
        const std::size_t begin = task % cuts * rows;
        const std::size_t column = task / cuts % at.panels * at.panel;
        const std::size_t frequency = task / cuts / at.panels;
        multiply_tiles<T>(std::min(rows, tiles.total - begin), std::min(at.panel, at.padded - column), inputs,
                          v->data() + frequency * at.v_distance + begin * at.v_stride, at.v_stride,
                          u->data() + frequency * at.u_distance + column * inputs,
                          m->data() + frequency * at.m_distance + begin * at.m_stride + column, at.m_stride);
    });
    parallel_ranges(tiles.total, 2, [&](std::size_t begin, std::size_t end) {
        transform_output<Filtering>(g, tiles, begin, end, m->data() + begin * at.m_stride, at.m_distance,
                                    at.m_stride, epilogue, y);
    });
}

/// y = epilogue(x * w), or with weights rotated and channels exchanged. Both ways sum in the same order, so
/// that the bits of a row do not depend on the way.
template <class Filtering, bool Transposed, class T>
void convolve(const convolution_geometry& g, const T* x, const T* w, const convolution_epilogue<T>& epilogue,
              T* y, phase how, workspace<T>& scratch) {
    const std::size_t bytes = bytes_of_tile<Filtering, T>(g);
    const tiling all = tiles_of<Filtering>(g, 1);
    std::size_t group = std::clamp<std::size_t>(group_bytes / bytes, least_group, 240);
    // OpenBLAS's bits depend on the number of rows: then a group must not leave its sample in inference.
    if (how == phase::inference && !own_product_is_fast) {
        group = std::min(group, all.of_image);
        while (all.of_image % group != 0) ++group;
    } else if ((all.total + group - 1) / group < 2 * static_cast<std::size_t>(threads())) {
        convolve_by_steps<Filtering, Transposed>(g, all, x, w, epilogue, y, scratch);
        return;
    }
    convolve_by_groups<Filtering, Transposed>(g, tiles_of<Filtering>(g, group), x, w, epilogue, y, scratch);
}

template <class Filtering, class T>
void forward(const convolution_geometry& g, const T* x, const T* w, const convolution_epilogue<T>& epilogue,
             T* y, phase how, workspace<T>& scratch) {
    convolve<Filtering, false>(g, x, w, epilogue, y, how, scratch);
}

template <class Filtering, class T>
void backward_input(const convolution_geometry& g, const T* dy, const T* w, T* dx, workspace<T>& scratch) {
    convolve<Filtering, true>(transposed(g), dy, w, {}, dx, phase::training, scratch);
}

}  // namespace frostline::kernels::winograd
