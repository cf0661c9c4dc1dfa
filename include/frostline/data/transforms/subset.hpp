// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/errors.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Chosen samples of a data set, in the given order. They keep their ids.
template <dataset Dataset>
class subset {
public:
    /// @throws argument_error when there are no indices, or one of them is outside the data set
    subset(Dataset data, std::vector<std::size_t> indices) : data_(std::move(data)) {
        require<argument_error>(!indices.empty(), "a subset has no samples, expected at least 1");
        for (const std::size_t index : indices) {
            require<argument_error>(index < data_.size(), "a subset asks for sample ", index,
                                    " of a data set of ", data_.size());
        }
        indices_ = std::make_shared<const std::vector<std::size_t>>(std::move(indices));
    }

    std::size_t size() const { return indices_->size(); }
    sample_shape shape() const { return data_.shape(); }
    std::size_t classes() const { return data_.classes(); }
    std::uint64_t sample_id(std::size_t index) const { return data_.sample_id((*indices_)[index]); }
    std::int32_t target(std::size_t index) const { return data_.target((*indices_)[index]); }
    bool random() const { return is_random(data_); }
    std::size_t views() const { return views_of(data_); }

    template <std::floating_point T>
    void read(std::size_t index, std::span<T> pixels) const {
        read(index, 0, pixels);
    }

    template <std::floating_point T>
    void read(std::size_t index, std::uint32_t view, std::span<T> pixels) const {
        read_view(data_, (*indices_)[index], view, pixels);
    }

private:
    Dataset data_;
    std::shared_ptr<const std::vector<std::size_t>> indices_;  // shared: copies of a data set are cheap
};

/// The first `count` samples. @throws argument_error when there are fewer, or count is 0
template <dataset Dataset>
subset<Dataset> take_first(Dataset data, std::size_t count) {
    require<argument_error>(count >= 1 && count <= data.size(), "the first ", count,
                            " samples were asked for, expected at least 1 and at most ", data.size(),
                            ", the size of the data set");
    std::vector<std::size_t> indices(count);
    std::iota(indices.begin(), indices.end(), std::size_t{0});
    return {std::move(data), std::move(indices)};
}

}  // namespace frostline::inline FROSTLINE_ISA
