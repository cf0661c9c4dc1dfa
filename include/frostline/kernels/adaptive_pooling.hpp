// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/kernels/pooling.hpp"

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
void adaptive_average_pool_forward(const adaptive_pooling_geometry& g, const T* x, T* y) {
    gather_windows(
        g.samples, g.channels, {g.input_height, g.input_width}, x, {g.output_height, g.output_width}, y,
        [&](std::size_t row) { return adaptive_window(row, g.output_height, g.input_height); },
        [&](std::size_t column) { return adaptive_window(column, g.output_width, g.input_width); },
        [](std::size_t, std::size_t) { return T{1}; },
        [](const pooling_span& rows, const pooling_span& columns) {
            return T{1} / static_cast<T>(rows.size() * columns.size());
        });
}

/// dx = what the windows hand back to each input.
template <class T>
void adaptive_average_pool_backward(const adaptive_pooling_geometry& g, const T* dy, T* dx) {
    gather_windows(
        g.samples, g.channels, {g.output_height, g.output_width}, dy, {g.input_height, g.input_width}, dx,
        [&](std::size_t row) { return adaptive_window(row, g.input_height, g.output_height); },
        [&](std::size_t column) { return adaptive_window(column, g.input_width, g.output_width); },
        [&](std::size_t row, std::size_t column) {
            return T{1} / static_cast<T>(adaptive_window(row, g.output_height, g.input_height).size() *
                                         adaptive_window(column, g.output_width, g.input_width).size());
        },
        [](const pooling_span&, const pooling_span&) { return T{1}; });
}

}  // namespace frostline::kernels
