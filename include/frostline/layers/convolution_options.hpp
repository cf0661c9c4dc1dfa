// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/parameter.hpp"
#include "frostline/core/pass.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/kernels/convolution_geometry.hpp"

#include <cmath>
#include <cstddef>
#include <string>

namespace frostline::inline FROSTLINE_ISA {

/// Height and width; one number stands for both.
struct extent {
    std::size_t height;
    std::size_t width;

    constexpr extent(std::size_t both) : height(both), width(both) {}
    constexpr extent(std::size_t rows, std::size_t columns) : height(rows), width(columns) {}
    bool operator==(const extent&) const = default;
};

/// What a convolution is, but for the size of its input.
struct convolution_options {
    std::string name{};  ///< torchvision's path of the convolution, "features.0"
    std::size_t input_channels = 1;
    std::size_t output_channels = 1;
    extent kernel = 3;
    extent stride = 1;
    extent padding = 0;
};

/// The geometry of a convolution on one sample. @throws shape_error when the channels differ or the kernel
/// does not fit the padded input
inline kernels::convolution_geometry geometry_of(const convolution_options& options,
                                                 const sample_shape& input) {
    require<shape_error>(input.channels == options.input_channels, "convolution '", options.name, "' takes ",
                         options.input_channels, " channels, but its input ", input, " has ", input.channels);
    const std::size_t height = input.height + 2 * options.padding.height;
    const std::size_t width = input.width + 2 * options.padding.width;
    require<shape_error>(height >= options.kernel.height && width >= options.kernel.width, "convolution '",
                         options.name, "': a ", options.kernel.height, "x", options.kernel.width,
                         " kernel does not fit the input ", input, " with padding ", options.padding.height,
                         "x", options.padding.width);
    return {.input_height = input.height,
            .input_width = input.width,
            .input_channels = input.channels,
            .kernel_height = options.kernel.height,
            .kernel_width = options.kernel.width,
            .stride_height = options.stride.height,
            .stride_width = options.stride.width,
            .padding_height = options.padding.height,
            .padding_width = options.padding.width,
            .output_height = (height - options.kernel.height) / options.stride.height + 1,
            .output_width = (width - options.kernel.width) / options.stride.width + 1,
            .output_channels = options.output_channels};
}

inline sample_shape output_shape_of(const kernels::convolution_geometry& geometry) {
    return {geometry.output_height, geometry.output_width, geometry.output_channels};
}

inline flop_counts flops_of(const kernels::convolution_geometry& geometry) {
    const std::uint64_t flops = 2 * geometry.multiply_accumulates();
    return {.forward = flops, .backward_input = flops, .backward_parameters = flops};
}

/// "conv 3x3, 64 / 2": kernel, output channels, and the stride where it is not 1
inline std::string description_of(const convolution_options& options) {
    std::string text =
        sentence("conv ", options.kernel.height, "x", options.kernel.width, ", ", options.output_channels);
    if (options.stride != extent(1)) text += sentence(" / ", options.stride.height);
    if (options.stride.width != options.stride.height) text += sentence("x", options.stride.width);
    return text;
}

/// The weight of a convolution, HWIO, He-initialised by fan-out as torchvision does: normal with variance
/// 2 / (kernel area * output channels) (He et al. 2015). @throws argument_error on a zero extent
template <class T>
parameter<T> convolution_weight(const convolution_options& options) {
    require<argument_error>(
        options.input_channels > 0 && options.output_channels > 0 && options.kernel.height > 0 &&
            options.kernel.width > 0 && options.stride.height > 0 && options.stride.width > 0,
        "convolution '", options.name, "': channels, kernel and stride must be at least 1");
    const auto fan_out =
        static_cast<double>(options.kernel.height * options.kernel.width * options.output_channels);
    return {.name = options.name + ".weight",
            .shape = {options.kernel.height, options.kernel.width, options.input_channels,
                      options.output_channels},
            .initial = initialiser::normal(std::sqrt(2.0 / fan_out))};
}

}  // namespace frostline
