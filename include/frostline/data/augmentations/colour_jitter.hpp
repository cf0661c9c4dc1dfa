// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/tensor.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// Changes brightness, contrast and saturation, in random order, each by a factor uniform in
/// [max(0, 1 - amount), 1 + amount], and cuts pixels off to [0, 1] after each, as torchvision's ColorJitter
/// does without its hue. Contrast is the distance to the mean grey of the sample, saturation that to the grey
/// of the pixel.
struct colour_jitter {
    double brightness = 0.4;
    double contrast = 0.4;
    double saturation = 0.4;

    /// @throws argument_error for an amount that is negative or not finite, shape_error unless there are 1 or
    /// 3 channels
    sample_shape output_shape(const sample_shape& shape) const {
        const auto is_amount = [](double amount) { return std::isfinite(amount) && amount >= 0; };
        require<argument_error>(is_amount(brightness) && is_amount(contrast) && is_amount(saturation),
                                "colour_jitter: the amounts are ", brightness, ", ", contrast, " and ",
                                saturation, ", expected finite numbers of at least 0");
        require<shape_error>(shape.channels == 1 || shape.channels == 3, "colour_jitter: found ",
                             shape.channels, " channels, expected 1 or 3");
        return shape;
    }

    template <class T>
    void operator()(const random_stream& draws, std::span<const T> from, const sample_shape& shape,
                    std::span<T> to) const {
        std::copy(from.begin(), from.end(), to.begin());
        std::array<std::size_t, 3> order{0, 1, 2};
        shuffle(std::span<std::size_t>(order), draws);
        for (const std::size_t change : order) {
            const std::array amounts{brightness, contrast, saturation};
            const double lowest = std::max(0.0, 1 - amounts[change]), highest = 1 + amounts[change];
            const auto factor = static_cast<T>(lowest + (highest - lowest) * draws.uniform(4 + change));
            if (change == 0)
                blend(to, shape.channels, factor, [](const T*) { return T{0}; });
            else if (change == 1)
                blend(to, shape.channels, factor,
                      [mean = mean_grey<T>(to, shape.channels)](const T*) { return mean; });
            else
                blend(to, shape.channels, factor,
                      [&](const T* pixel) { return grey(pixel, shape.channels); });
        }
    }

private:
    template <class T>
    static T grey(const T* pixel, std::size_t channels) {
        if (channels == 1) return pixel[0];
        return static_cast<T>(0.299) * pixel[0] + static_cast<T>(0.587) * pixel[1] +
               static_cast<T>(0.114) * pixel[2];
    }

    template <class T>
    static T mean_grey(std::span<const T> pixels, std::size_t channels) {
        double sum = 0;
        for (std::size_t at = 0; at < pixels.size(); at += channels)
            sum += static_cast<double>(grey(pixels.data() + at, channels));
        return static_cast<T>(sum * static_cast<double>(channels) / static_cast<double>(pixels.size()));
    }

    // Moves every pixel away from the grey that `centre` gives for it, or towards it.
    template <class T, class Centre>
    static void blend(std::span<T> pixels, std::size_t channels, T factor, const Centre& centre) {
        for (std::size_t at = 0; at < pixels.size(); at += channels) {
            const T middle = centre(pixels.data() + at);
            for (std::size_t channel = 0; channel < channels; ++channel) {
                T& value = pixels[at + channel];
                value = std::clamp(factor * value + (1 - factor) * middle, T{0}, T{1});
            }
        }
    }
};

}  // namespace frostline::inline FROSTLINE_ISA
