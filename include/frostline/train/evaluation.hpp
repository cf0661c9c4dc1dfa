// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/data/batches.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/train/training_options.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Calls use(data) where there is data: a dataset, an optional one, or no_data.
template <class Data, class Use>
void if_any(const Data& data, const Use& use) {
    if constexpr (dataset<Data>) {
        use(data);
    } else if constexpr (!std::is_same_v<Data, no_data>) {
        if (data) use(*data);
    }
}

/// @return the number of its samples, 0 where there is no data
/// @throws shape_error when the network does not take them, or has not their classes
template <class Network, class Data>
std::size_t size_if_any(const Network& network, const Data& data, std::string_view name) {
    std::size_t size = 0;
    if_any(data, [&](const auto& present) {
        check_fit(network, present, name);
        size = present.size();
    });
    return size;
}

/// Measures the accuracy of a whole network; keeps its batch between calls.
template <class T>
class evaluator {
public:
    /// @throws argument_error for batches of none
    explicit evaluator(std::size_t batch_size = 256) : batch_size_(batch_size) {
        require<argument_error>(batch_size > 0,
                                "the batch size of an evaluation must be at least 1, found 0");
    }

    /// @return share of the samples of `data` that `network` puts into their class, in inference
    template <class Network, dataset Dataset>
    double operator()(Network& network, const Dataset& data) {
        return static_cast<double>(correct(network, data, 0, 1)) / static_cast<double>(data.size());
    }

    /// The same where there is data, over processes of which each takes its part of the batches.
    template <class Network, class Data, class Together>
    std::optional<double> accuracy(Network& network, const Data& data, Together& together) {
        std::optional<double> found;
        if_any(data, [&](const auto& present) {
            const auto here =
                static_cast<double>(correct(network, present, together.rank(), together.size()));
            found = together.sum(here) / static_cast<double>(present.size());
        });
        return found;
    }

    /// @return the number of them in every `parts`-th batch, from number `part` on
    template <class Network, dataset Dataset>
    std::size_t correct(Network& network, const Dataset& data, std::size_t part, std::size_t parts) {
        std::size_t correct = 0;
        for (std::size_t begin = part * batch_size_; begin < data.size(); begin += parts * batch_size_) {
            indices_.resize(std::min(batch_size_, data.size() - begin));
            std::iota(indices_.begin(), indices_.end(), begin);
            load_batch(data, indices_, images_, targets_, ids_);
            correct += count_correct(network.predict(images_), targets_);
        }
        return correct;
    }

private:
    std::size_t batch_size_;
    std::vector<std::size_t> indices_;
    tensor<T> images_;
    std::vector<std::int32_t> targets_;
    std::vector<std::uint64_t> ids_;
};

}  // namespace frostline
