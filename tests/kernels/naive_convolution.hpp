// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/kernels/convolution_geometry.hpp"

#include <cstddef>
#include <vector>

namespace naive {

using frostline::kernels::convolution_geometry;

/// The geometry with its output size computed from the rest.
inline convolution_geometry with_output(convolution_geometry g) {
    g.output_height = (g.input_height + 2 * g.padding_height - g.kernel_height) / g.stride_height + 1;
    g.output_width = (g.input_width + 2 * g.padding_width - g.kernel_width) / g.stride_width + 1;
    return g;
}

inline convolution_geometry square(std::size_t samples, std::size_t size, std::size_t input_channels,
                                   std::size_t output_channels, std::size_t kernel, std::size_t stride,
                                   std::size_t padding) {
    convolution_geometry g;
    g.samples = samples;
    g.input_height = g.input_width = size;
    g.input_channels = input_channels;
    g.output_channels = output_channels;
    g.kernel_height = g.kernel_width = kernel;
    g.stride_height = g.stride_width = stride;
    g.padding_height = g.padding_width = padding;
    return with_output(g);
}

/// Calls visit(index in x, index in w, index in y) for every product that the convolution sums.
template <class Visit>
void for_each_product(const convolution_geometry& g, const Visit& visit) {
    for (std::size_t n = 0; n < g.samples; ++n)
        for (std::size_t oy = 0; oy < g.output_height; ++oy)
            for (std::size_t ox = 0; ox < g.output_width; ++ox)
                for (std::size_t ky = 0; ky < g.kernel_height; ++ky)
                    for (std::size_t kx = 0; kx < g.kernel_width; ++kx) {
                        const std::size_t iy = oy * g.stride_height + ky;
                        const std::size_t ix = ox * g.stride_width + kx;
                        if (iy < g.padding_height || iy >= g.input_height + g.padding_height) continue;
                        if (ix < g.padding_width || ix >= g.input_width + g.padding_width) continue;
                        const std::size_t pixel =
                            (n * g.input_height + iy - g.padding_height) * g.input_width + ix -
                            g.padding_width;
                        const std::size_t position = (n * g.output_height + oy) * g.output_width + ox;
                        const std::size_t tap = ky * g.kernel_width + kx;
                        for (std::size_t ci = 0; ci < g.input_channels; ++ci)
                            for (std::size_t co = 0; co < g.output_channels; ++co)
                                visit(pixel * g.input_channels + ci,
                                      (tap * g.input_channels + ci) * g.output_channels + co,
                                      position * g.output_channels + co);
                    }
}

template <class T>
std::vector<double> forward(const convolution_geometry& g, const T* x, const T* w) {
    std::vector<double> y(g.samples * g.output_size(), 0.0);
    for_each_product(
        g, [&](std::size_t i, std::size_t j, std::size_t k) { y[k] += double{x[i]} * double{w[j]}; });
    return y;
}

template <class T>
std::vector<double> backward_input(const convolution_geometry& g, const T* dy, const T* w) {
    std::vector<double> dx(g.samples * g.input_size(), 0.0);
    for_each_product(
        g, [&](std::size_t i, std::size_t j, std::size_t k) { dx[i] += double{dy[k]} * double{w[j]}; });
    return dx;
}

template <class T>
std::vector<double> backward_weights(const convolution_geometry& g, const T* x, const T* dy) {
    std::vector<double> dw(g.weight_size(), 0.0);
    for_each_product(
        g, [&](std::size_t i, std::size_t j, std::size_t k) { dw[j] += double{x[i]} * double{dy[k]}; });
    return dw;
}

}  // namespace naive
