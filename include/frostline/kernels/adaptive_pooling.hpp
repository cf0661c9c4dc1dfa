// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/kernels/pooling.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace frostline::inline FROSTLINE_ISA::kernels {

/// Sizes of one adaptive 2-D pooling. x is (samples, input_height, input_width, channels), y is (samples,
/// output_height, output_width, channels).
struct adaptive_pooling_geometry {
    std::size_t samples = 1;
    std::size_t input_height = 1, input_width = 1, channels = 1;
    std::size_t output_height = 1, output_width = 1;
};

/// The inputs that PyTorch averages for output `at`: from floor(at * inputs / outputs) to ceil((at + 1) *
/// inputs / outputs). With inputs and outputs swapped, the outputs for which it averages input `at`.
inline pooling_span adaptive_window(std::size_t at, std::size_t outputs, std::size_t inputs) {
    return {at * inputs / outputs, ((at + 1) * inputs + outputs - 1) / outputs};
}

/// y = mean of each window. Windows overlap where the sizes do not divide.
template <class T>
void adaptive_average_pool_forward(const adaptive_pooling_geometry& geometry, const T* x, T* y) {
    for_each_position(
        geometry.samples, geometry.output_height, geometry.output_width, geometry.channels,
        [&](std::size_t sample, std::size_t row, std::size_t column, std::size_t first,
            std::size_t channels) {
            alignas(alignment) std::array<T, pooling_channels> total;
            std::fill_n(total.data(), channels, T{0});
            const pooling_span rows = adaptive_window(row, geometry.output_height, geometry.input_height);
            const pooling_span columns = adaptive_window(column, geometry.output_width, geometry.input_width);
            for (std::size_t i = rows.begin; i < rows.end; ++i)
                for (std::size_t j = columns.begin; j < columns.end; ++j) {
                    const T* in = x +
                                  ((sample * geometry.input_height + i) * geometry.input_width + j) *
                                      geometry.channels +
                                  first;
                    for (std::size_t c = 0; c < channels; ++c) total[c] += in[c];
                }
            const T share = T{1} / static_cast<T>((rows.end - rows.begin) * (columns.end - columns.begin));
            T* out = y +
                     ((sample * geometry.output_height + row) * geometry.output_width + column) *
                         geometry.channels +
                     first;
            for (std::size_t c = 0; c < channels; ++c) out[c] = total[c] * share;
        });
}

/// dx = what the windows hand back to each input, gathered so that no two threads write one element.
template <class T>
void adaptive_average_pool_backward(const adaptive_pooling_geometry& geometry, const T* dy, T* dx) {
    const auto size_of = [](const pooling_span& span) { return span.end - span.begin; };
    for_each_position(
        geometry.samples, geometry.input_height, geometry.input_width, geometry.channels,
        [&](std::size_t sample, std::size_t row, std::size_t column, std::size_t first,
            std::size_t channels) {
            alignas(alignment) std::array<T, pooling_channels> total;
            std::fill_n(total.data(), channels, T{0});
            const pooling_span rows = adaptive_window(row, geometry.input_height, geometry.output_height);
            const pooling_span columns = adaptive_window(column, geometry.input_width, geometry.output_width);
            for (std::size_t i = rows.begin; i < rows.end; ++i)
                for (std::size_t j = columns.begin; j < columns.end; ++j) {
                    const std::size_t height =
                        size_of(adaptive_window(i, geometry.output_height, geometry.input_height));
                    const std::size_t width =
                        size_of(adaptive_window(j, geometry.output_width, geometry.input_width));
                    const T share = T{1} / static_cast<T>(height * width);
                    const T* gradient = dy +
                                        ((sample * geometry.output_height + i) * geometry.output_width + j) *
                                            geometry.channels +
                                        first;
                    for (std::size_t c = 0; c < channels; ++c) total[c] += gradient[c] * share;
                }
            std::copy_n(total.data(), channels,
                        dx +
                            ((sample * geometry.input_height + row) * geometry.input_width + column) *
                                geometry.channels +
                            first);
        });
}

}  // namespace frostline::kernels
