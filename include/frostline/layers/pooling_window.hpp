// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/kernels/pooling.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// The square window of max_pool and average_pool.
struct pooling_window {
    std::size_t kernel = 2;
    std::size_t stride = 0;  ///< 0: as the kernel
    std::size_t padding = 0;

    /// The same window with its stride written out.
    /// @throws argument_error for a kernel outside [1, 256] or padding by more than half of it
    pooling_window checked(const char* layer) const {
        require<argument_error>(kernel >= 1 && kernel <= 256, layer,
                                ": the kernel must lie in [1, 256], found ", kernel);
        require<argument_error>(padding <= kernel / 2, layer, ": padding may be at most half of the kernel, ",
                                kernel / 2, ", found ", padding);
        return {kernel, stride == 0 ? kernel : stride, padding};
    }

    /// Of a checked window; incomplete windows at the end are left out.
    /// @throws shape_error where the window does not fit
    sample_shape output_shape(const char* layer, const sample_shape& input) const {
        require<shape_error>(input.height > 0 && input.width > 0 && input.height + 2 * padding >= kernel &&
                                 input.width + 2 * padding >= kernel,
                             layer, ": a ", kernel, "x", kernel, " kernel does not fit an input of ", input,
                             padding > 0 ? sentence(" padded by ", padding) : "");
        return {(input.height + 2 * padding - kernel) / stride + 1,
                (input.width + 2 * padding - kernel) / stride + 1, input.channels};
    }

    std::string description(const char* layer) const {
        std::string text = sentence(layer, " ", kernel, "x", kernel);
        if (stride != kernel) text += sentence(" / ", stride);
        return text;
    }

    kernels::pooling_geometry geometry(std::size_t samples, const sample_shape& input,
                                       const sample_shape& output) const {
        return {.samples = samples,
                .input_height = input.height,
                .input_width = input.width,
                .channels = input.channels,
                .kernel = kernel,
                .stride = stride,
                .padding = padding,
                .output_height = output.height,
                .output_width = output.width};
    }
};

}  // namespace frostline
