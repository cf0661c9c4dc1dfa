// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/data/resampler.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// Resizes a random part of a sample to a square of `size`: a share of the area from `smallest_area` to 1,
/// and a ratio of width to height from 3/4 to 4/3, its logarithm uniform. After ten parts that do not fit,
/// the largest in the middle with a ratio in that range (Szegedy et al. 2015, as torchvision does it).
struct random_resized_crop {
    std::size_t size = 224;
    double smallest_area = 0.08;

    /// @throws argument_error for a size of 0 or of more than 65,536, or a share outside (0, 1]
    sample_shape output_shape(const sample_shape& shape) const {
        constexpr std::size_t largest = 1u << 16;
        require<argument_error>(size > 0 && size <= largest, "random_resized_crop: the size is ", size,
                                ", expected from 1 to ", largest);
        require<argument_error>(smallest_area > 0 && smallest_area <= 1,
                                "random_resized_crop: the smallest area is ", smallest_area,
                                ", expected more than 0 and at most 1");
        return {size, size, shape.channels};
    }

    template <class T>
    void operator()(const random_stream& draws, std::span<const T> from, const sample_shape& shape,
                    std::span<T> to) const {
        thread_local resampler resample;
        resample(from, shape, region(draws, shape), to, {size, size, shape.channels});
    }

    /// The part that is chosen, in whole pixels.
    image_region region(const random_stream& draws, const sample_shape& shape) const {
        const auto height = static_cast<double>(shape.height), width = static_cast<double>(shape.width);
        constexpr double widest = 4.0 / 3;
        for (std::uint64_t draw = 0; draw < 40; draw += 4) {
            const double area = height * width * (smallest_area + (1 - smallest_area) * draws.uniform(draw));
            const double ratio = std::exp((2 * draws.uniform(draw + 1) - 1) * std::log(widest));
            const double new_width = std::round(std::sqrt(area * ratio));
            const double new_height = std::round(std::sqrt(area / ratio));
            if (new_width < 1 || new_width > width || new_height < 1 || new_height > height) continue;
            return {.top = std::floor(draws.uniform(draw + 2) * (height - new_height + 1)),
                    .left = std::floor(draws.uniform(draw + 3) * (width - new_width + 1)),
                    .height = new_height,
                    .width = new_width};
        }
        const double new_height = std::min(height, std::round(width * widest));
        const double new_width = std::min(width, std::round(height * widest));
        return {.top = std::floor((height - new_height) / 2),
                .left = std::floor((width - new_width) / 2),
                .height = new_height,
                .width = new_width};
    }
};

}  // namespace frostline::inline FROSTLINE_ISA
