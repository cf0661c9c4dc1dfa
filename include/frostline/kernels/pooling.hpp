// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/tensor.hpp"
#include "frostline/kernels/row_tiles.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

// clang warns of every loop with a hint that it does not vectorise, which without optimisation are all.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

namespace frostline::inline FROSTLINE_ISA::kernels {

/// Sizes of one 2-D pooling with a square window. x is (samples, input_height, input_width, channels), y is
/// (samples, output_height, output_width, channels). Every window covers at least one input.
struct pooling_geometry {
    std::size_t samples = 1;
    std::size_t input_height = 1, input_width = 1, channels = 1;
    std::size_t kernel = 2, stride = 2, padding = 0;
    std::size_t output_height = 1, output_width = 1;
};

/// Channels that the pooling loops keep on the stack at once.
inline constexpr std::size_t pooling_channels = 64;

/// A half-open range of positions along one axis.
struct pooling_span {
    std::size_t begin = 0, end = 0;

    std::size_t size() const { return end - begin; }
};

/// The inputs that lie in output position `at`'s window.
inline pooling_span window_inputs(std::size_t at, const pooling_geometry& geometry, std::size_t input_size) {
    const std::size_t start = at * geometry.stride, end = start + geometry.kernel;  // in padded coordinates
    return {start > geometry.padding ? start - geometry.padding : 0,
            std::min(end - geometry.padding, input_size)};
}

/// The output positions in whose windows input position `at` lies.
inline pooling_span covering_outputs(std::size_t at, const pooling_geometry& geometry,
                                     std::size_t output_size) {
    const std::size_t padded = at + geometry.padding;
    const std::size_t first = padded < geometry.kernel ? 0 : (padded - geometry.kernel) / geometry.stride + 1;
    return {first, std::min(padded / geometry.stride + 1, output_size)};
}

/// Calls body(sample, row, column, first_channel, channels) for every position of a (samples, height, width,
/// channels) tensor, in parallel over its rows.
template <class Body>
void for_each_position(std::size_t samples, std::size_t height, std::size_t width, std::size_t channels,
                       const Body& body) {
    const std::size_t grain = std::max<std::size_t>(1, 8192 / std::max<std::size_t>(1, width * channels));
    parallel_ranges(samples * height, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t line = begin; line < end; ++line)
            for (std::size_t column = 0; column < width; ++column)
                for (std::size_t first = 0; first < channels; first += pooling_channels)
                    body(line / height, line % height, column, first,
                         std::min(pooling_channels, channels - first));
    });
}

/// y = largest input of each window. `argmax`, where not null, gets its place in the window (row * kernel +
/// column), the first of equals, as PyTorch; NaN counts as the largest.
template <class T>
void max_pool_forward(const pooling_geometry& geometry, const T* x, T* y, std::uint16_t* argmax) {
    // As wide as T, so that one comparison selects values and places.
    using place = std::conditional_t<sizeof(T) == 4, std::int32_t, std::int64_t>;
    for_each_position(
        geometry.samples, geometry.output_height, geometry.output_width, geometry.channels,
        [&](std::size_t sample, std::size_t row, std::size_t column, std::size_t first,
            std::size_t channels) {
            alignas(alignment) std::array<T, pooling_channels> best;
            alignas(alignment) std::array<place, pooling_channels> where;
            const pooling_span rows = window_inputs(row, geometry, geometry.input_height);
            const pooling_span columns = window_inputs(column, geometry, geometry.input_width);
            bool empty = true;
            for (std::size_t i = rows.begin; i < rows.end; ++i)
                for (std::size_t j = columns.begin; j < columns.end; ++j) {
                    const T* in = x +
                                  ((sample * geometry.input_height + i) * geometry.input_width + j) *
                                      geometry.channels +
                                  first;
                    const auto here =
                        static_cast<place>((i + geometry.padding - row * geometry.stride) * geometry.kernel +
                                           (j + geometry.padding - column * geometry.stride));
                    if (empty) {
                        std::copy_n(in, channels, best.data());
                        std::fill_n(where.data(), channels, here);
                        empty = false;
                        continue;
                    }
                    FROSTLINE_INDEPENDENT
                    for (std::size_t c = 0; c < channels; ++c) {
                        const bool larger = !(in[c] <= best[c]) && best[c] == best[c];
                        best[c] = larger ? in[c] : best[c];
                        where[c] = larger ? here : where[c];
                    }
                }
            const std::size_t out =
                ((sample * geometry.output_height + row) * geometry.output_width + column) *
                    geometry.channels +
                first;
            std::copy_n(best.data(), channels, y + out);
            if (argmax != nullptr)
                for (std::size_t c = 0; c < channels; ++c)
                    argmax[out + c] = static_cast<std::uint16_t>(where[c]);
        });
}

/// dx = what the windows that chose each input hand back to it, gathered so that no two threads write one
/// element.
template <class T>
void max_pool_backward(const pooling_geometry& geometry, const T* dy, const std::uint16_t* argmax, T* dx) {
    for_each_position(
        geometry.samples, geometry.input_height, geometry.input_width, geometry.channels,
        [&](std::size_t sample, std::size_t row, std::size_t column, std::size_t first,
            std::size_t channels) {
            alignas(alignment) std::array<T, pooling_channels> total;
            std::fill_n(total.data(), channels, T{0});
            const pooling_span rows = covering_outputs(row, geometry, geometry.output_height);
            const pooling_span columns = covering_outputs(column, geometry, geometry.output_width);
            for (std::size_t i = rows.begin; i < rows.end; ++i)
                for (std::size_t j = columns.begin; j < columns.end; ++j) {
                    const std::size_t from =
                        ((sample * geometry.output_height + i) * geometry.output_width + j) *
                            geometry.channels +
                        first;
                    const auto here = static_cast<std::uint16_t>(
                        (row + geometry.padding - i * geometry.stride) * geometry.kernel +
                        (column + geometry.padding - j * geometry.stride));
                    const T* gradient = dy + from;
                    const std::uint16_t* chosen = argmax + from;
                    FROSTLINE_INDEPENDENT
                    for (std::size_t c = 0; c < channels; ++c)
                        total[c] += chosen[c] == here ? gradient[c] : T{0};
                }
            std::copy_n(total.data(), channels,
                        dx +
                            ((sample * geometry.input_height + row) * geometry.input_width + column) *
                                geometry.channels +
                            first);
        });
}

/// The positions of one side of a pooling.
struct pooling_grid {
    std::size_t height = 1, width = 1;
};

/// to = for each of its positions share(rows, columns) times the sum of from * weight(row, column) over the
/// window rows_of(row) x columns_of(column): every average pooling, and its gradient with the grids
/// exchanged, gathered so that no two threads write one element.
template <class T, class Rows, class Columns, class Weight, class Share>
void gather_windows(std::size_t samples, std::size_t channels, const pooling_grid& from_grid, const T* from,
                    const pooling_grid& to_grid, T* to, const Rows& rows_of, const Columns& columns_of,
                    const Weight& weight, const Share& share) {
    for_each_position(
        samples, to_grid.height, to_grid.width, channels,
        [&](std::size_t sample, std::size_t row, std::size_t column, std::size_t first, std::size_t count) {
            alignas(alignment) std::array<T, pooling_channels> total;
            std::fill_n(total.data(), count, T{0});
            const pooling_span rows = rows_of(row), columns = columns_of(column);
            for (std::size_t i = rows.begin; i < rows.end; ++i)
                for (std::size_t j = columns.begin; j < columns.end; ++j) {
                    const T* in =
                        from + ((sample * from_grid.height + i) * from_grid.width + j) * channels + first;
                    const T factor = weight(i, j);
                    for (std::size_t c = 0; c < count; ++c) total[c] += in[c] * factor;
                }
            const T factor = share(rows, columns);
            T* out = to + ((sample * to_grid.height + row) * to_grid.width + column) * channels + first;
            for (std::size_t c = 0; c < count; ++c) out[c] = total[c] * factor;
        });
}

/// y = sum of each window / kernel^2: padding counts as zeros.
template <class T>
void average_pool_forward(const pooling_geometry& g, const T* x, T* y) {
    gather_windows(
        g.samples, g.channels, {g.input_height, g.input_width}, x, {g.output_height, g.output_width}, y,
        [&](std::size_t row) { return window_inputs(row, g, g.input_height); },
        [&](std::size_t column) { return window_inputs(column, g, g.input_width); },
        [](std::size_t, std::size_t) { return T{1}; },
        [&](const pooling_span&, const pooling_span&) { return T{1} / static_cast<T>(g.kernel * g.kernel); });
}

template <class T>
void average_pool_backward(const pooling_geometry& g, const T* dy, T* dx) {
    gather_windows(
        g.samples, g.channels, {g.output_height, g.output_width}, dy, {g.input_height, g.input_width}, dx,
        [&](std::size_t row) { return covering_outputs(row, g, g.output_height); },
        [&](std::size_t column) { return covering_outputs(column, g, g.output_width); },
        [](std::size_t, std::size_t) { return T{1}; },
        [&](const pooling_span&, const pooling_span&) { return T{1} / static_cast<T>(g.kernel * g.kernel); });
}

/// y (samples, channels) = mean over the positions of x (samples, positions, channels), in T over 256
/// positions at a time and in double over those.
template <class T>
void global_average_pool_forward(std::size_t samples, std::size_t positions, std::size_t channels, const T* x,
                                 T* y) {
    constexpr std::size_t chunk = 256;
    const std::size_t tiles = (channels + pooling_channels - 1) / pooling_channels;
    const std::size_t grain =
        std::max<std::size_t>(1, 8192 / (positions * std::min(channels, pooling_channels)));
    parallel_ranges(samples * tiles, grain, [&](std::size_t begin, std::size_t end) {
        for (std::size_t task = begin; task < end; ++task) {
            const std::size_t sample = task / tiles, first = task % tiles * pooling_channels;
            const std::size_t count = std::min(pooling_channels, channels - first);
            alignas(alignment) std::array<double, pooling_channels> total{};
            for (std::size_t start = 0; start < positions; start += chunk) {
                alignas(alignment) std::array<T, pooling_channels> part{};
                for (std::size_t position = start; position < std::min(start + chunk, positions);
                     ++position) {
                    const T* in = x + (sample * positions + position) * channels + first;
                    for (std::size_t c = 0; c < count; ++c) part[c] += in[c];
                }
                for (std::size_t c = 0; c < count; ++c) total[c] += static_cast<double>(part[c]);
            }
            T* out = y + sample * channels + first;
            for (std::size_t c = 0; c < count; ++c)
                out[c] = static_cast<T>(total[c] / static_cast<double>(positions));
        }
    });
}

template <class T>
void global_average_pool_backward(std::size_t samples, std::size_t positions, std::size_t channels,
                                  const T* dy, T* dx) {
    const T share = T{1} / static_cast<T>(positions);
    parallel_ranges(samples * positions, std::max<std::size_t>(1, 8192 / channels),
                    [&](std::size_t begin, std::size_t end) {
                        for (std::size_t row = begin; row < end; ++row) {
                            const T* gradient = dy + row / positions * channels;
                            T* out = dx + row * channels;
                            FROSTLINE_INDEPENDENT
                            for (std::size_t c = 0; c < channels; ++c) out[c] = gradient[c] * share;
                        }
                    });
}

}  // namespace frostline::kernels

#if defined(__clang__)
#pragma clang diagnostic pop
#endif
