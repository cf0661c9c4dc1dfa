// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <cstddef>
#include <cstdint>

namespace frostline::inline FROSTLINE_ISA::kernels {

/// Sizes of one 2-D convolution. x is (samples, input_height, input_width, input_channels), w is
/// (kernel_height, kernel_width, input_channels, output_channels), y is (samples, output_height,
/// output_width, output_channels).
struct convolution_geometry {
    std::size_t samples = 1;
    std::size_t input_height = 1, input_width = 1, input_channels = 1;
    std::size_t kernel_height = 1, kernel_width = 1;
    std::size_t stride_height = 1, stride_width = 1;
    std::size_t padding_height = 0, padding_width = 0;
    std::size_t output_height = 1, output_width = 1, output_channels = 1;

    std::size_t input_size() const { return input_height * input_width * input_channels; }
    std::size_t output_positions() const { return output_height * output_width; }
    std::size_t output_size() const { return output_positions() * output_channels; }
    std::size_t patch_size() const { return kernel_height * kernel_width * input_channels; }
    std::size_t weight_size() const { return patch_size() * output_channels; }
    /// Of one sample, whatever engine runs.
    std::uint64_t multiply_accumulates() const { return std::uint64_t{output_positions()} * weight_size(); }
};

/// What is done to each output element while it is still in cache: y = [relu](convolution * scale + shift +
/// addend). Null pointers are left out; scale and shift hold one value an output channel, addend has y's
/// shape.
template <class T>
struct convolution_epilogue {
    const T* scale = nullptr;
    const T* shift = nullptr;
    const T* addend = nullptr;
    bool relu = false;
};

}  // namespace frostline::kernels
