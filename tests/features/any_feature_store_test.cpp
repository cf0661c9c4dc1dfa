// SPDX-License-Identifier: MIT
#include "frostline/features/any_feature_store.hpp"

#include "frostline/features/memory_feature_store.hpp"
#include "frostline/features/no_feature_store.hpp"
#include "support/catch.hpp"

#include <algorithm>
#include <vector>

using namespace frostline;

static_assert(feature_store<any_feature_store<float>, float>);
static_assert(feature_store<any_feature_store<double>, double>);
static_assert(std::constructible_from<any_feature_store<float>, memory_feature_store<float>>);
static_assert(std::constructible_from<any_feature_store<float>, no_feature_store>);
static_assert(!std::constructible_from<any_feature_store<float>, memory_feature_store<double>>);
static_assert(!std::constructible_from<any_feature_store<float>, int>);
static_assert(std::movable<any_feature_store<float>>);

TEST_CASE("any_feature_store does what the store inside does") {
    any_feature_store<float> store = memory_feature_store<float>(1 << 20);
    const std::vector<feature_key> keys{{.sample = 1}, {.sample = 2}};
    tensor<float> put, got;
    resize(put, 2, {1, 1, 3});
    resize(got, 2, {1, 1, 3});
    for (std::size_t i = 0; i < put.size(); ++i) put.data()[i] = static_cast<float>(i);
    store.put(keys, put);
    store.prefetch(keys);
    CHECK(store.budget() == 1 << 20);
    CHECK(store.bytes() > 0);

    std::vector<std::size_t> missed;
    any_feature_store<float> moved = std::move(store);
    moved.get(keys, got, missed);
    CHECK(missed.empty());
    CHECK(std::equal(put.begin(), put.end(), got.begin()));
    moved.clear();
    CHECK(moved.bytes() == 0);
    moved.get(keys, got, missed);
    CHECK(missed == std::vector<std::size_t>{0, 1});

    moved = no_feature_store{};
    CHECK(moved.budget() == 0);
}

TEST_CASE("any_feature_store tells what the store inside tells, and what holds for one that tells nothing") {
    struct silent {
        void put(std::span<const feature_key>, const tensor<float>&) {}
        void get(std::span<const feature_key> keys, tensor<float>&, std::vector<std::size_t>& missed) {
            missed.resize(keys.size());
            for (std::size_t row = 0; row < keys.size(); ++row) missed[row] = row;
        }
        void prefetch(std::span<const feature_key>) {}
        void clear() {}
        std::size_t bytes() const { return 0; }
        std::size_t budget() const { return 123; }
    };
    any_feature_store<float> plain = silent{};
    CHECK_FALSE(plain.grows());
    CHECK(plain.row_bytes({1, 2, 3}) == 6 * sizeof(float));
    REQUIRE(plain.tiers().size() == 1);
    CHECK(plain.tiers()[0].budget == 123);
    CHECK(plain.problem().empty());
    CHECK(plain.measure({1, 1, 1}).size() == 1);
    CHECK_NOTHROW(plain.use_tiers(1));
    CHECK_FALSE(plain.holds({.sample = 1}));

    any_feature_store<float> memory = memory_feature_store<float>(1 << 20);
    CHECK(memory.grows());
    CHECK(memory.row_bytes({1, 2, 3}) == 6 * sizeof(float) + feature_index_bytes);
    CHECK(memory.tiers()[0].name == "memory");
    const std::vector<feature_key> keys{{.sample = 1}};
    tensor<float> row;
    resize(row, 1, {1, 1, 3});
    memory.put(keys, row);
    CHECK(memory.holds(keys[0]));
    memory.forget(keys);
    CHECK_FALSE(memory.holds(keys[0]));
    CHECK(memory.bytes() == 0);
}
