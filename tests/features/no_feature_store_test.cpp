// SPDX-License-Identifier: MIT
#include "frostline/features/no_feature_store.hpp"

#include "support/catch.hpp"

#include <vector>

using namespace frostline;

static_assert(feature_store<no_feature_store, float>);
static_assert(feature_store<no_feature_store, double>);

TEST_CASE("a no_feature_store misses whatever was put") {
    no_feature_store store;
    const std::vector<feature_key> keys{{.sample = 1}, {.sample = 2}};
    tensor<float> rows;
    resize(rows, 2, {1, 1, 3});
    store.put(keys, rows);
    store.prefetch(keys);
    std::vector<std::size_t> missed{7, 8, 9};
    store.get(keys, rows, missed);
    CHECK(missed == std::vector<std::size_t>{0, 1});
    store.clear();
    CHECK(store.bytes() == 0);
    CHECK(store.budget() == 0);
}
