// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/tensor.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// Shifts a sample by up to `padding` pixels in each direction, all shifts alike probable: a crop of the
/// sample's size out of the sample with a border of zeros.
struct random_crop {
    std::size_t padding = 4;

    /// @throws argument_error for a padding of more than 65,536 pixels
    sample_shape output_shape(const sample_shape& shape) const {
        constexpr std::size_t widest = 1u << 16;
        require<argument_error>(padding <= widest, "random_crop: the padding is ", padding,
                                ", expected at most ", widest);
        return shape;
    }

    template <class T>
    void operator()(const random_stream& draws, std::span<const T> from, const sample_shape& shape,
                    std::span<T> to) const {
        const auto shift = [&](std::uint64_t draw) {
            const double places = static_cast<double>(2 * padding + 1);
            return static_cast<std::ptrdiff_t>(draws.uniform(draw) * places) -
                   static_cast<std::ptrdiff_t>(padding);
        };
        const auto height = static_cast<std::ptrdiff_t>(shape.height);
        const auto line = static_cast<std::ptrdiff_t>(shape.width * shape.channels);
        const std::ptrdiff_t down = shift(0);
        const std::ptrdiff_t right =
            std::clamp(shift(1) * static_cast<std::ptrdiff_t>(shape.channels), -line, line);
        for (std::ptrdiff_t row = 0; row < height; ++row) {
            const auto target = to.begin() + row * line;
            const std::ptrdiff_t source_row = row + down;
            if (source_row < 0 || source_row >= height) {
                std::fill_n(target, line, T{0});
                continue;
            }
            const auto source = from.begin() + source_row * line;
            const std::ptrdiff_t first = std::max<std::ptrdiff_t>(0, -right);  // element that has a source
            const std::ptrdiff_t end = std::min(line, line - right);
            std::fill(target, target + first, T{0});
            std::copy(source + first + right, source + end + right, target + first);
            std::fill(target + end, target + line, T{0});
        }
    }
};

}  // namespace frostline::inline FROSTLINE_ISA
