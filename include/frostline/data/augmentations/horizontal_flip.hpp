// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/tensor.hpp"

#include <algorithm>
#include <cstddef>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// Swaps left and right of a sample, with the given probability.
struct horizontal_flip {
    double probability = 0.5;

    /// @throws argument_error for a probability outside [0, 1]
    sample_shape output_shape(const sample_shape& shape) const {
        require<argument_error>(probability >= 0 && probability <= 1, "horizontal_flip: the probability is ",
                                probability, ", expected 0 to 1");
        return shape;
    }

    template <class T>
    void operator()(const random_stream& draws, std::span<const T> from, const sample_shape& shape,
                    std::span<T> to) const {
        if (draws.uniform(0) >= probability) {
            std::copy(from.begin(), from.end(), to.begin());
            return;
        }
        for (std::size_t row = 0; row < shape.height; ++row)
            for (std::size_t column = 0; column < shape.width; ++column)
                std::copy_n(from.data() + (row * shape.width + column) * shape.channels, shape.channels,
                            to.data() + ((row + 1) * shape.width - column - 1) * shape.channels);
    }
};

}  // namespace frostline::inline FROSTLINE_ISA
