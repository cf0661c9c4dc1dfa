// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/pass.hpp"
#include "frostline/kernels/direct_convolution.hpp"
#include "frostline/kernels/im2col_convolution.hpp"
#include "frostline/kernels/padded_lines_convolution.hpp"
#include "frostline/kernels/winograd_convolution.hpp"
#include "frostline/kernels/winograd_weight_gradient.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace frostline::inline FROSTLINE_ISA::kernels {

/// The algorithms. `pointwise` and `direct` differ in name only: a 1 x 1 convolution is the direct one with
/// one tap. `winograd_image` takes a whole image of 2 x 2 as one tile. `padded_lines` has no gradient of the
/// input, which then is the direct one.
enum class convolution_engine {
    im2col,
    padded_lines,
    pointwise,
    direct,
    winograd_2x2,
    winograd_4x4,
    winograd_image
};

constexpr std::string_view name_of(convolution_engine engine) {
    constexpr std::string_view names[] = {"im2col",       "padded_lines", "pointwise",     "direct",
                                          "winograd_2x2", "winograd_4x4", "winograd_image"};
    return names[static_cast<std::size_t>(engine)];
}

/// The engines that compute this convolution, whatever their speed.
inline std::vector<convolution_engine> possible_engines(const convolution_geometry& g) {
    std::vector engines{convolution_engine::im2col, convolution_engine::padded_lines,
                        convolution_engine::direct};
    if (im2col::is_pointwise(g)) engines.push_back(convolution_engine::pointwise);
    if (winograd::is_possible<winograd::tile_4x4>(g)) {
        engines.push_back(convolution_engine::winograd_2x2);
        engines.push_back(convolution_engine::winograd_4x4);
    }
    if (winograd::is_possible<winograd::image_2x2>(g)) engines.push_back(convolution_engine::winograd_image);
    return engines;
}

enum class convolution_pass { forward, backward_input, backward_weights };

namespace detail {

/// Estimates of the work of one sample, in multiply-accumulates at the speed of a large product. The
/// constants are fitted to measurements of 16 to 512 channels on 2 x 2 to 32 x 32; they need to rank the
/// engines, not more.
constexpr double direct_cost(const convolution_geometry& g) {
    const auto meetings = [](std::size_t kernel, std::size_t stride, std::size_t padding, std::size_t input,
                             std::size_t output) {
        std::size_t count = 0;
        for (std::size_t tap = 0; tap < kernel; ++tap)
            count += run_of_tap(tap, stride, padding, input, output).count;
        return static_cast<double>(count);
    };
    const double inputs = static_cast<double>(g.input_channels);
    const double outputs = static_cast<double>(g.output_channels);
    return meetings(g.kernel_height, g.stride_height, g.padding_height, g.input_height, g.output_height) *
           meetings(g.kernel_width, g.stride_width, g.padding_width, g.input_width, g.output_width) *
           (1.1 * inputs * outputs + 4 * outputs + 100);
}

template <class Filtering>
constexpr double winograd_cost(const convolution_geometry& g, double samples) {
    const double tiles = static_cast<double>(winograd::tiles_of<Filtering>(g, 1).of_image);
    const double inputs = static_cast<double>(g.input_channels);
    const double outputs = static_cast<double>(g.output_channels);
    return static_cast<double>(Filtering::frequencies) *
           (tiles * (inputs * outputs + 26 * (inputs + outputs)) + 50 * inputs * outputs / samples);
}

/// Calls use(filtering) where `engine` is one of Winograd's, and says whether it was.
template <class Use>
bool with_filtering(convolution_engine engine, const Use& use) {
    switch (engine) {
        case convolution_engine::winograd_2x2:
            use(winograd::tile_2x2{});
            return true;
        case convolution_engine::winograd_4x4:
            use(winograd::tile_4x4{});
            return true;
        case convolution_engine::winograd_image:
            use(winograd::image_2x2{});
            return true;
        default:
            return false;
    }
}

}  // namespace detail

/// Chooses the engine: a pure function of the geometry, the pass and the phase. The transformation of the
/// weights is shared by all samples of a batch, so that training may prefer another engine for a small batch;
/// in inference the number of samples is taken to be 16, because a sample's bits must not depend on it.
constexpr convolution_engine choose_convolution_engine(const convolution_geometry& g, convolution_pass pass,
                                                       phase how) {
    const bool pointwise = im2col::is_pointwise(g);
    const bool few = g.input_channels < 16 && !pointwise;
    const bool wide = g.input_channels >= 16 && g.output_channels >= 16;
    const double direct = detail::direct_cost(g);
    const double samples = how == phase::inference ? 16.0 : static_cast<double>(g.samples);
    auto filtering = convolution_engine::winograd_image;
    double transformed = detail::winograd_cost<winograd::image_2x2>(g, samples);
    bool possible = winograd::is_possible<winograd::image_2x2>(g);
    if (!possible) {
        const double four = detail::winograd_cost<winograd::tile_4x4>(g, samples);
        const double two = detail::winograd_cost<winograd::tile_2x2>(g, samples);
        filtering = four <= two ? convolution_engine::winograd_4x4 : convolution_engine::winograd_2x2;
        transformed = std::min(two, four);
        possible = winograd::is_possible<winograd::tile_4x4>(g);
    }
    const bool transforms = wide && possible && transformed < direct;

    if constexpr (own_product_is_fast) {
        if (pass == convolution_pass::backward_weights) {
            // Gathering rows for one tap after the other pays only where dw is too large for one copy a
            // thread.
            if (transforms) return filtering;
            if (few) return convolution_engine::padded_lines;
            if (!wide || g.kernel_height * g.kernel_width * g.input_channels * g.output_channels <=
                             std::size_t{1} << 18)
                return convolution_engine::im2col;
            return pointwise ? convolution_engine::pointwise : convolution_engine::direct;
        }
        if (pointwise) return convolution_engine::pointwise;
        if (few && pass == convolution_pass::forward) return convolution_engine::padded_lines;
        return transforms ? filtering : convolution_engine::direct;
    } else {
        const std::size_t positions = g.output_height * g.output_width;
        if (how == phase::inference && positions < 16) return convolution_engine::direct;
        // In inference OpenBLAS gets the tiles of one sample at a time: too few on small images.
        if (transforms && (how == phase::training || positions >= 64)) return filtering;
        return pointwise ? convolution_engine::pointwise : convolution_engine::im2col;
    }
}

/// y = epilogue(x * w); overwrites y. In inference the bits of a sample's output depend on that sample alone.
template <class T>
void convolution_forward(const convolution_geometry& g, const T* x, const T* w,
                         const convolution_epilogue<T>& epilogue, T* y, phase how, workspace<T>& scratch,
                         convolution_engine engine) {
    const bool direct = engine == convolution_engine::direct ||
                        (engine == convolution_engine::pointwise && !im2col::uses_blas(g, how));
    const auto transformed = [&](auto filtering) {
        winograd::forward<decltype(filtering)>(g, x, w, epilogue, y, how, scratch);
    };
    if (detail::with_filtering(engine, transformed)) return;
    if (direct)
        direct::forward(g, x, w, epilogue, y);
    else if (engine == convolution_engine::padded_lines)
        padded_lines::forward(g, x, w, epilogue, y, scratch);
    else
        im2col::forward(g, x, w, epilogue, y, how, scratch);
}

template <class T>
void convolution_forward(const convolution_geometry& g, const T* x, const T* w,
                         const convolution_epilogue<T>& epilogue, T* y, phase how, workspace<T>& scratch) {
    convolution_forward(g, x, w, epilogue, y, how, scratch,
                        choose_convolution_engine(g, convolution_pass::forward, how));
}

/// dx = gradient of the input; overwrites dx.
template <class T>
void convolution_backward_input(const convolution_geometry& g, const T* dy, const T* w, T* dx,
                                workspace<T>& scratch, convolution_engine engine) {
    const bool direct = engine == convolution_engine::direct || engine == convolution_engine::padded_lines ||
                        (engine == convolution_engine::pointwise && own_product_is_fast);
    const auto transformed = [&](auto filtering) {
        winograd::backward_input<decltype(filtering)>(g, dy, w, dx, scratch);
    };
    if (detail::with_filtering(engine, transformed)) return;
    if (direct)
        direct::backward_input(g, dy, w, dx);
    else
        im2col::backward_input(g, dy, w, dx, scratch);
}

template <class T>
void convolution_backward_input(const convolution_geometry& g, const T* dy, const T* w, T* dx,
                                workspace<T>& scratch) {
    convolution_backward_input(
        g, dy, w, dx, scratch,
        choose_convolution_engine(g, convolution_pass::backward_input, phase::training));
}

/// dw = gradient of the weights; overwrites dw. Winograd's engines transform x again: keeping it from the
/// forward pass would take 2.25 times the memory of x, and traffic to match.
template <class T>
void convolution_backward_weights(const convolution_geometry& g, const T* x, const T* dy, T* dw,
                                  workspace<T>& scratch, convolution_engine engine) {
    const bool direct = engine == convolution_engine::direct ||
                        (engine == convolution_engine::pointwise && own_product_is_fast);
    const auto transformed = [&](auto filtering) {
        winograd::backward_weights<decltype(filtering)>(g, x, dy, dw, scratch);
    };
    if (detail::with_filtering(engine, transformed)) return;
    if (direct)
        direct::backward_weights(g, x, dy, dw, scratch);
    else if (engine == convolution_engine::padded_lines)
        padded_lines::backward_weights(g, x, dy, dw, scratch);
    else
        im2col::backward_weights(g, x, dy, dw, scratch);
}

template <class T>
void convolution_backward_weights(const convolution_geometry& g, const T* x, const T* dy, T* dw,
                                  workspace<T>& scratch) {
    convolution_backward_weights(
        g, x, dy, dw, scratch,
        choose_convolution_engine(g, convolution_pass::backward_weights, phase::training));
}

}  // namespace frostline::kernels
