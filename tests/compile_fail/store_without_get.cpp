// SPDX-License-Identifier: MIT
// expect: frostline: a feature store needs get\(keys, rows, missed\)
#include "frostline/concepts/feature_store.hpp"

struct black_hole {
    void put(std::span<const frostline::feature_key>, const frostline::tensor<float>&) {}
    void prefetch(std::span<const frostline::feature_key>) {}
    void clear() {}
    std::size_t bytes() const { return 0; }
    std::size_t budget() const { return 0; }
};
static_assert(frostline::explain_feature_store<black_hole, float>());
