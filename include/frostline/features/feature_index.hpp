// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/tensor.hpp"

#include <cstddef>
#include <span>
#include <string_view>

namespace frostline::inline FROSTLINE_ISA {

/// Hash of a feature_key, for the index of a store.
struct feature_key_hash {
    std::size_t operator()(const feature_key& key) const noexcept {
        const auto place = (static_cast<std::uint64_t>(key.view) << 32) | key.cut;
        return static_cast<std::size_t>(
            scramble(scramble(scramble(key.sample) ^ place) ^ key.weight_version));
    }
};

/// Bytes that a store needs for the index entry of one row: key, place, and what the containers add to them.
inline constexpr std::size_t feature_index_bytes = 112;

/// @param cuts  what the store `name` holds, by cut, each with the shape of its rows
/// @throws shape_error unless there is a row for each key, and all rows of a cut have one shape
template <class T, class Cuts>
void check_rows(std::string_view name, std::span<const feature_key> keys, const tensor<T>& rows,
                const Cuts& cuts) {
    require<shape_error>(keys.size() == samples_of(rows), name, ": found ", keys.size(), " keys for ",
                         samples_of(rows), " rows");
    for (const feature_key& key : keys) {
        const auto held = cuts.find(key.cut);
        require<shape_error>(held == cuts.end() || shape_of(rows) == held->second.shape, name,
                             ": found rows of ", shape_of(rows), ", but holds others at cut ", key.cut);
    }
}

}  // namespace frostline
