// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/random.hpp"
#include "frostline/data/transforms/subset.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// The two sides of a split; every sample of the whole is on one of them.
template <dataset Dataset>
struct split_dataset {
    subset<Dataset> train;
    subset<Dataset> validation;
};

/// Sets round(validation_share * size) samples aside for validation, at random: a function of the seed and of
/// the sample ids alone, whatever order they come in. Both sides keep the order of `data`.
/// @throws argument_error when either side would be empty
template <dataset Dataset>
split_dataset<Dataset> split(Dataset data, double validation_share, std::uint64_t seed) {
    const std::size_t size = data.size();
    require<argument_error>(validation_share > 0 && validation_share < 1, "the validation share is ",
                            validation_share, ", expected more than 0 and less than 1");
    const auto count = static_cast<std::size_t>(std::llround(validation_share * static_cast<double>(size)));
    require<argument_error>(count > 0 && count < size, "a validation share of ", validation_share, " of ",
                            size, " samples leaves one side empty, expected at least 1 sample on each");

    const random_stream draws(seed, purpose::split);
    std::vector<std::pair<std::uint64_t, std::size_t>> ranked(size);
    for (std::size_t index = 0; index < size; ++index)
        ranked[index] = {draws.bits(data.sample_id(index)), index};
    const auto boundary = ranked.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(ranked.begin(), boundary, ranked.end());

    std::vector<std::size_t> validation(count);
    std::vector<std::size_t> train(size - count);
    const auto place_of = [](const auto& item) { return item.second; };
    std::transform(ranked.begin(), boundary, validation.begin(), place_of);
    std::transform(boundary, ranked.end(), train.begin(), place_of);
    std::sort(validation.begin(), validation.end());
    std::sort(train.begin(), train.end());
    return {subset<Dataset>(data, std::move(train)), subset<Dataset>(data, std::move(validation))};
}

}  // namespace frostline::inline FROSTLINE_ISA
