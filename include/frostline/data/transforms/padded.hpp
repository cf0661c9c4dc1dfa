// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/errors.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A data set with `border` pixels of zero on each side: padded(data, 2) makes MNIST's 28 x 28 to 32 x 32.
///
/// The order matters: `normalised(padded(data, 2), statistics)` pads with the black of the image, which
/// normalisation then shifts like every other black pixel (what networks for MNIST usually get);
/// `padded(normalised(...), 2)` pads with the mean grey.
template <dataset Dataset>
class padded {
public:
    /// @throws argument_error for a border of more than 65,536 pixels
    padded(Dataset data, std::size_t border) : data_(std::move(data)), border_(border) {
        constexpr std::size_t widest = 1u << 16;  // no size of a sample overflows
        require<argument_error>(border <= widest, "padded: the border is ", border, ", expected at most ",
                                widest);
    }

    std::size_t size() const { return data_.size(); }
    sample_shape shape() const {
        const sample_shape inner = data_.shape();
        return {inner.height + 2 * border_, inner.width + 2 * border_, inner.channels};
    }
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
        const sample_shape inner = data_.shape();
        const std::size_t inner_row = inner.width * inner.channels;
        const std::size_t margin = border_ * inner.channels;
        const std::size_t outer_row = inner_row + 2 * margin;
        read_view(data_, index, view, pixels.first(inner.size()));

        // In place: from the last row up, no row is overwritten before it has moved.
        const auto begin = pixels.begin();
        const auto at = [](std::size_t offset) { return static_cast<std::ptrdiff_t>(offset); };
        for (std::size_t row = inner.height; row-- > 0;) {
            const auto from = begin + at(row * inner_row);
            const auto to = begin + at((row + border_) * outer_row + margin);
            std::copy_backward(from, from + at(inner_row), to + at(inner_row));
        }
        std::fill_n(begin, border_ * outer_row, T{0});
        for (std::size_t row = border_; row < border_ + inner.height; ++row) {
            const auto line = begin + at(row * outer_row);
            std::fill_n(line, margin, T{0});
            std::fill_n(line + at(margin + inner_row), margin, T{0});
        }
        std::fill_n(begin + at((border_ + inner.height) * outer_row), border_ * outer_row, T{0});
    }

private:
    Dataset data_;
    std::size_t border_;
};

}  // namespace frostline::inline FROSTLINE_ISA
