// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/errors.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A data set of which training sees `views` fixed random views of each sample, one an epoch, in turn:
/// `cycled_views(augmented(...), 4)`. Their outputs come again, so that blocks can be dropped.
template <dataset_with_views Dataset>
class cycled_views {
public:
    /// @throws argument_error unless there is at least one view, and no more than 2^32 - 1
    cycled_views(Dataset data, std::size_t views)
        : data_(std::move(data)), views_(static_cast<std::uint32_t>(views)) {
        require<argument_error>(views >= 1 && views == views_, "the number of views is ", views,
                                ", expected at least 1 and at most ", UINT32_MAX);
    }

    std::size_t size() const { return data_.size(); }
    sample_shape shape() const { return data_.shape(); }
    std::size_t classes() const { return data_.classes(); }
    std::uint64_t sample_id(std::size_t index) const { return data_.sample_id(index); }
    std::int32_t target(std::size_t index) const { return data_.target(index); }
    bool random() const { return views_ > 1 && is_random(data_); }
    std::size_t views() const { return views_; }

    template <std::floating_point T>
    void read(std::size_t index, std::span<T> pixels) const {
        read(index, 0, pixels);
    }

    template <std::floating_point T>
    void read(std::size_t index, std::uint32_t view, std::span<T> pixels) const {
        data_.read(index, view % views_, pixels);
    }

private:
    Dataset data_;
    std::uint32_t views_;
};

}  // namespace frostline::inline FROSTLINE_ISA
