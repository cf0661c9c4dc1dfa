// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/errors.hpp"

#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Mean and standard deviation of each channel, in the units of the pixels as read ([0, 1] for bytes).
struct channel_statistics {
    std::vector<double> mean;
    std::vector<double> deviation;
};

/// A data set with each channel shifted and scaled: (pixel - mean) / deviation.
template <dataset Dataset>
class normalised {
public:
    /// @throws shape_error unless there is one mean and one deviation a channel
    /// @throws argument_error unless every mean is finite, and every deviation finite and positive
    normalised(Dataset data, channel_statistics statistics)
        : data_(std::move(data)), statistics_(std::move(statistics)) {
        const auto& [mean, deviation] = statistics_;
        const std::size_t channels = data_.shape().channels;
        require<shape_error>(mean.size() == channels && deviation.size() == channels, "normalisation has ",
                             mean.size(), " means and ", deviation.size(), " deviations, expected ", channels,
                             " of each, one a channel");
        for (std::size_t channel = 0; channel < channels; ++channel) {
            require<argument_error>(std::isfinite(mean[channel]), "the mean of channel ", channel, " is ",
                                    mean[channel], ", expected a finite number");
            require<argument_error>(std::isfinite(deviation[channel]) && deviation[channel] > 0,
                                    "the deviation of channel ", channel, " is ", deviation[channel],
                                    ", expected a finite number above 0");
        }
    }

    std::size_t size() const { return data_.size(); }
    sample_shape shape() const { return data_.shape(); }
    std::size_t classes() const { return data_.classes(); }
    std::uint64_t sample_id(std::size_t index) const { return data_.sample_id(index); }
    std::int32_t target(std::size_t index) const { return data_.target(index); }
    bool random() const { return is_random(data_); }
    std::size_t views() const { return views_of(data_); }

    template <std::floating_point T>
    void read(std::size_t index, std::span<T> pixels) const {
        read(index, 0, pixels);
    }

    template <std::floating_point T>
    void read(std::size_t index, std::uint32_t view, std::span<T> pixels) const {
        read_view(data_, index, view, pixels);
        const std::size_t channels = statistics_.mean.size();
        for (std::size_t channel = 0; channel < channels; ++channel) {
            const auto mean = static_cast<T>(statistics_.mean[channel]);
            const auto deviation = static_cast<T>(statistics_.deviation[channel]);
            for (std::size_t element = channel; element < pixels.size(); element += channels) {
                pixels[element] = (pixels[element] - mean) / deviation;
            }
        }
    }

private:
    Dataset data_;
    channel_statistics statistics_;
};

}  // namespace frostline::inline FROSTLINE_ISA
