// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/tensor.hpp"

#include <cstddef>
#include <numeric>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Holds nothing: for runs that freeze and never drop.
struct no_feature_store {
    template <class T>
    void put(std::span<const feature_key>, const tensor<T>&) {}

    template <class T>
    void get(std::span<const feature_key> keys, tensor<T>&, std::vector<std::size_t>& missed) {
        missed.resize(keys.size());
        std::iota(missed.begin(), missed.end(), std::size_t{0});
    }

    void prefetch(std::span<const feature_key>) {}
    void clear() {}
    std::size_t bytes() const { return 0; }
    std::size_t budget() const { return 0; }
};

}  // namespace frostline
