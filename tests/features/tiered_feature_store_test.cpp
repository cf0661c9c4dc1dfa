// SPDX-License-Identifier: MIT
#include "frostline/features/tiered_feature_store.hpp"

#include "frostline/features/disk_feature_store.hpp"
#include "frostline/features/memory_feature_store.hpp"
#include "frostline/features/no_feature_store.hpp"
#include "store_rows.hpp"
#include "support/catch.hpp"

#include <cstring>
#include <filesystem>

using namespace store_rows;

namespace {

using both = tiered_feature_store<float, memory_feature_store<float>, disk_feature_store<float>>;
static_assert(feature_store<both, float>);

constexpr std::size_t row = 24 * sizeof(float) + feature_index_bytes;

both make(std::size_t memory_rows, std::size_t disk_rows) {
    return {memory_feature_store<float>(memory_rows * row),
            disk_feature_store<float>(std::filesystem::temp_directory_path(), disk_rows * row)};
}

}  // namespace

TEST_CASE("a tiered_feature_store fills its first store, then the second, and loses the rest") {
    auto store = make(5, 4);
    put(store, keys_from(0, 3));
    put(store, keys_from(3, 4));  // in both
    CHECK(store.bytes() == 7 * row);
    put(store, keys_from(7, 4));
    CHECK(rows_of(store, keys_from(0, 11)) == 9);
    CHECK(rows_of(store, keys_from(5, 4)) == 4);
    CHECK(rows_of(store, {keys_from(8, 1)[0], keys_from(1, 1)[0], keys_from(99, 1)[0], keys_from(6, 1)[0]}) ==
          3);
    store.prefetch(keys_from(0, 9));
    CHECK(rows_of(store, keys_from(0, 9)) == 9);
    CHECK(store.budget() == 9 * row);
    store.forget(keys_from(4, 3));
    CHECK(rows_of(store, keys_from(0, 9)) == 6);
    store.clear();
    CHECK(store.bytes() == 0);
}

TEST_CASE("a tiered_feature_store can leave its second store alone") {
    auto store = make(5, 4);
    store.use_tiers(1);
    put(store, keys_from(0, 9));
    CHECK(rows_of(store, keys_from(0, 9)) == 5);
    store.use_tiers(2);
    put(store, keys_from(5, 4));
    CHECK(rows_of(store, keys_from(0, 9)) == 9);
}

TEST_CASE("of a key that is put again the old row is never found, in whichever store it lies") {
    auto store = make(2, 4);
    const auto keys = keys_from(0, 4), others = keys_from(100, 4);
    put(store, keys);
    const auto expected = rows_for(others);
    store.put(keys, expected);
    tensor<float> found;
    resize(found, 4, shape);
    std::vector<std::size_t> missed;
    store.get(keys, found, missed);
    CHECK(missed.empty());
    CHECK(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)) == 0);
    store.use_tiers(1);
    put(store, keys);
    CHECK(rows_of(store, keys) == 2);
    // The first takes what lay in the second, and loses it again.
    store.use_tiers(2);
    put(store, keys);
    store.forget(keys_from(0, 2));
    put(store, keys_from(2, 2));
    CHECK(store.bytes() == 2 * row);
}

TEST_CASE("a tiered_feature_store tells the tiers of both") {
    auto store = make(50, 40);
    const auto tiers = store.tiers();
    REQUIRE(tiers.size() == 2);
    CHECK(tiers[0].name == "memory");
    CHECK(tiers[0].budget == 50 * row);
    CHECK_FALSE(tiers[0].read_ahead);
    CHECK(tiers[1].name == "disk");
    CHECK(tiers[1].budget == 40 * row);
    CHECK(tiers[1].read_ahead);
    CHECK(store.measure(shape).size() == 2);
    CHECK(store.bytes() == 0);
    CHECK(store.row_bytes(shape) == row);
    CHECK(store.problem().empty());
    CHECK(grows(store));
}
