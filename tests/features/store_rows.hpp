// SPDX-License-Identifier: MIT
// Keys and rows for the tests of feature stores.
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/tensor.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace store_rows {

using namespace frostline;

inline constexpr std::size_t plenty = std::size_t{1} << 30;
inline constexpr sample_shape shape{2, 3, 4};
using missed_rows = std::vector<std::size_t>;

inline std::vector<feature_key> keys_from(std::uint64_t first, std::size_t count, std::uint32_t cut = 2) {
    std::vector<feature_key> keys;
    for (std::uint64_t sample = first; sample < first + count; ++sample)
        keys.push_back({.sample = sample, .cut = cut});
    return keys;
}

/// Rows that tell which key they belong to.
inline tensor<float> rows_for(const std::vector<feature_key>& keys, const sample_shape& row = shape) {
    tensor<float> made;
    resize(made, keys.size(), row);
    for (std::size_t i = 0; i < keys.size(); ++i)
        for (std::size_t j = 0; j < row.size(); ++j)
            made.data()[i * row.size() + j] = static_cast<float>(keys[i].sample) +
                                              1000.0f * static_cast<float>(keys[i].cut) +
                                              0.01f * static_cast<float>(j);
    return made;
}

/// Asks for the rows. @return how many came; -1 if one of them is not what was put
template <class Store>
int rows_of(Store& store, const std::vector<feature_key>& keys, const sample_shape& row = shape) {
    tensor<float> got;
    resize(got, keys.size(), row);
    const auto expected = rows_for(keys, row);
    missed_rows missed{77};
    store.get(keys, got, missed);
    std::size_t next = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
        if (next < missed.size() && missed[next] == i)
            ++next;
        else if (std::memcmp(got.data() + i * row.size(), expected.data() + i * row.size(),
                             row.size() * sizeof(float)) != 0)
            return -1;
    }
    return next == missed.size() ? static_cast<int>(keys.size() - missed.size()) : -1;
}

template <class Store>
void put(Store& store, const std::vector<feature_key>& keys, const sample_shape& row = shape) {
    store.put(keys, rows_for(keys, row));
}

}  // namespace store_rows
