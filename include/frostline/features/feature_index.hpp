// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/random.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// Hash of a feature_key, for the index of a store.
struct feature_key_hash {
    std::size_t operator()(const feature_key& key) const noexcept {
        const auto place = (static_cast<std::uint64_t>(key.view) << 32) | key.cut;
        return static_cast<std::size_t>(
            scramble(scramble(scramble(key.sample) ^ place) ^ key.weight_version));
    }
};

/// Bytes that a store needs for the index entry of one row: key, place, and what a hash map adds to them.
inline constexpr std::size_t feature_index_bytes = 80;

}  // namespace frostline
