// SPDX-License-Identifier: MIT
#include "frostline/features/memory_feature_store.hpp"

#include "support/catch.hpp"
#include "support/count_allocations.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

using namespace frostline;

static_assert(feature_store<memory_feature_store<float>, float>);
static_assert(feature_store<memory_feature_store<double>, double>);

namespace {

constexpr std::size_t plenty = std::size_t{1} << 30;
constexpr sample_shape shape{2, 3, 4};
constexpr std::size_t row_size = 24;

std::vector<feature_key> keys_of(std::initializer_list<std::uint64_t> samples) {
    std::vector<feature_key> keys;
    for (const auto sample : samples) keys.push_back({.sample = sample, .cut = 2});
    return keys;
}

template <class T>
tensor<T> rows_of(std::size_t rows, double first, const sample_shape& row = shape) {
    tensor<T> made;
    resize(made, rows, row);
    for (std::size_t i = 0; i < made.size(); ++i)
        made.data()[i] = static_cast<T>(first + 0.1 * static_cast<double>(i));
    return made;
}

template <class T>
bool same_row(const tensor<T>& left, std::size_t left_row, const tensor<T>& right, std::size_t right_row) {
    const std::size_t size = left.size() / samples_of(left);
    return std::memcmp(left.data() + left_row * size, right.data() + right_row * size, size * sizeof(T)) == 0;
}

// Not ==, which Catch2 and xtensor both would like to take apart.
template <class T>
bool same(const tensor<T>& left, const tensor<T>& right) {
    return left.size() == right.size() &&
           std::memcmp(left.data(), right.data(), left.size() * sizeof(T)) == 0;
}

using missed_rows = std::vector<std::size_t>;

}  // namespace

TEMPLATE_TEST_CASE("a memory_feature_store gives rows back bit for bit, in any order", "", float, double) {
    memory_feature_store<TestType> store(plenty);
    auto put = rows_of<TestType>(3, 1);
    put.data()[0] = -TestType{0};
    put.data()[1] = std::numeric_limits<TestType>::denorm_min();
    put.data()[2] = -std::numeric_limits<TestType>::quiet_NaN();
    store.put(keys_of({10, 11, 12}), put);

    auto got = rows_of<TestType>(3, 0);
    missed_rows missed{99};
    store.get(keys_of({12, 10, 11}), got, missed);
    CHECK(missed.empty());
    CHECK(same_row(got, 0, put, 2));
    CHECK(same_row(got, 1, put, 0));
    CHECK(same_row(got, 2, put, 1));
}

TEST_CASE("a memory_feature_store names the missed rows in order and leaves them alone") {
    memory_feature_store<float> store(plenty);
    const auto put = rows_of<float>(2, 1);
    store.put(keys_of({1, 2}), put);
    const auto before = rows_of<float>(4, 500);
    auto got = before;
    missed_rows missed;
    store.get(keys_of({7, 2, 6, 1}), got, missed);
    CHECK(missed == missed_rows{0, 2});
    CHECK(same_row(got, 0, before, 0));
    CHECK(same_row(got, 1, put, 1));
    CHECK(same_row(got, 2, before, 2));
    CHECK(same_row(got, 3, put, 0));
}

TEST_CASE("an empty memory_feature_store misses every row, of any size") {
    memory_feature_store<float> store(plenty);
    auto got = rows_of<float>(2, 0);
    missed_rows missed;
    store.get(keys_of({1, 2}), got, missed);
    CHECK(missed == missed_rows{0, 1});
    CHECK(store.bytes() == 0);
    CHECK(store.budget() == plenty);
}

TEST_CASE("each part of a key tells rows apart") {
    memory_feature_store<float> store(plenty);
    const std::vector<feature_key> keys{{1, 2, 3, 4}, {9, 2, 3, 4}, {1, 9, 3, 4},
                                        {1, 2, 9, 4}, {1, 2, 3, 9}, {1, 3, 2, 4}};
    const auto put = rows_of<float>(keys.size(), 1);
    store.put(keys, put);
    auto got = rows_of<float>(keys.size(), 0);
    missed_rows missed;
    store.get(keys, got, missed);
    CHECK(missed.empty());
    CHECK(same(got, put));
}

TEST_CASE("a memory_feature_store overwrites the row of a key that it holds") {
    memory_feature_store<float> store(plenty);
    store.put(keys_of({1, 2}), rows_of<float>(2, 1));
    const std::size_t bytes = store.bytes();
    const auto newer = rows_of<float>(1, 77);
    store.put(keys_of({2}), newer);
    CHECK(store.bytes() == bytes);
    auto got = rows_of<float>(1, 0);
    missed_rows missed;
    store.get(keys_of({2}), got, missed);
    CHECK(same(got, newer));
}

TEST_CASE("of equal keys in one put the first row counts") {
    memory_feature_store<float> store(plenty);
    const auto put = rows_of<float>(2, 1);
    store.put(keys_of({5, 5}), put);
    auto got = rows_of<float>(2, 0);
    missed_rows missed;
    store.get(keys_of({5, 5}), got, missed);
    CHECK(missed.empty());
    CHECK(same_row(got, 0, put, 0));
    CHECK(same_row(got, 1, put, 0));
}

TEST_CASE("a memory_feature_store refuses rows beyond its budget and still overwrites the others") {
    constexpr std::size_t budget = 2 * (row_size * sizeof(float) + feature_index_bytes) + 50;
    memory_feature_store<float> store(budget);
    const auto put = rows_of<float>(3, 1);
    store.put(keys_of({1, 2, 3}), put);
    CHECK(store.bytes() == budget - 50);
    CHECK(store.bytes() <= store.budget());

    auto got = rows_of<float>(3, 0);
    missed_rows missed;
    store.get(keys_of({1, 2, 3}), got, missed);
    CHECK(missed == missed_rows{2});

    const auto newer = rows_of<float>(3, 50);
    store.put(keys_of({3, 2, 1}), newer);
    store.get(keys_of({1, 2, 3}), got, missed);
    CHECK(missed == missed_rows{2});
    CHECK(same_row(got, 0, newer, 2));
    CHECK(same_row(got, 1, newer, 1));
}

TEST_CASE("a memory_feature_store without room for one row holds nothing") {
    for (const std::size_t budget : {std::size_t{0}, row_size * sizeof(float)}) {
        memory_feature_store<float> store(budget);
        store.put(keys_of({1}), rows_of<float>(1, 1));
        store.put(keys_of({1}), rows_of<float>(1, 1, {1, 1, 5}));
        CHECK(store.bytes() == 0);
    }
}

TEST_CASE("clear forgets all, gives the memory back and admits rows of another size") {
    memory_feature_store<float> store(plenty);
    store.put(keys_of({1, 2}), rows_of<float>(2, 1));
    CHECK(store.bytes() > 0);
    store.clear();
    CHECK(store.bytes() == 0);
    auto got = rows_of<float>(2, 0);
    missed_rows missed;
    store.get(keys_of({1, 2}), got, missed);
    CHECK(missed == missed_rows{0, 1});

    const auto other = rows_of<float>(2, 9, {1, 1, 100});
    store.put(keys_of({1, 2}), other);
    auto other_got = rows_of<float>(2, 0, {1, 1, 100});
    store.get(keys_of({1, 2}), other_got, missed);
    CHECK(missed.empty());
    CHECK(same(other_got, other));
}

TEST_CASE("a memory_feature_store spreads over slabs that stay where they are") {
    constexpr sample_shape large{512, 512, 1};  // 1 MiB
    constexpr std::size_t rows = 70;
    memory_feature_store<float> store(std::size_t{66} << 20);
    std::vector<float> marks;
    for (std::uint64_t sample = 0; sample < rows; ++sample) {
        auto row = rows_of<float>(1, 0, large);
        row.data()[0] = row.data()[row.size() - 1] = static_cast<float>(sample);
        store.put(keys_of({sample}), row);
        CHECK(store.bytes() <= store.budget());
    }
    for (std::uint64_t sample = 0; sample < rows; ++sample) {
        auto got = rows_of<float>(1, 0, large);
        missed_rows missed;
        store.get(keys_of({sample}), got, missed);
        CHECK(missed.empty() == (sample < 65));  // 66 MiB less the index
        if (!missed.empty()) continue;
        CHECK(got.data()[0] == static_cast<float>(sample));
        CHECK(got.data()[got.size() - 1] == static_cast<float>(sample));
    }
}

TEST_CASE("a memory_feature_store rejects rows that do not fit") {
    memory_feature_store<float> store(plenty);
    store.put(keys_of({1, 2}), rows_of<float>(2, 1));
    auto wide = rows_of<float>(1, 1, {1, 1, 25});
    missed_rows missed;
    CHECK_THROWS_AS(store.put(keys_of({3}), wide), shape_error);
    CHECK_THROWS_AS(store.get(keys_of({1}), wide, missed), shape_error);
    CHECK_THROWS_WITH(store.put(keys_of({1, 2, 3}), rows_of<float>(2, 1)),
                      "memory_feature_store: found 3 keys for 2 rows");
}

TEST_CASE("a memory_feature_store takes a call without keys") {
    memory_feature_store<float> store(plenty);
    auto none = rows_of<float>(0, 0);
    missed_rows missed{1};
    store.put({}, none);
    store.get({}, none, missed);
    CHECK(missed.empty());
    store.put(keys_of({1}), rows_of<float>(1, 1));
    store.put({}, none);
    store.get({}, none, missed);
    CHECK(missed.empty());
}

TEST_CASE("get allocates nothing in a steady state, with a partial batch and with misses") {
    memory_feature_store<float> store(plenty);
    store.put(keys_of({1, 2, 3}), rows_of<float>(3, 1));
    const auto whole = keys_of({3, 9, 1}), part = keys_of({2});
    auto got = rows_of<float>(3, 0), last = rows_of<float>(1, 0);
    missed_rows missed;
    store.get(whole, got, missed);
    store.get(keys_of({7, 8, 9}), got, missed);
    CHECK(allocations_of([&] {
              store.get(whole, got, missed);
              store.get(part, last, missed);
              store.get(whole, got, missed);
          }) == 0);
}

TEST_CASE("a memory_feature_store forgets single rows and keeps the others") {
    memory_feature_store<float> store(plenty);
    const auto put = rows_of<float>(5, 1);
    store.put(keys_of({1, 2, 3, 4, 5}), put);
    store.forget(keys_of({2, 9, 5, 2}));
    auto got = rows_of<float>(5, 0);
    missed_rows missed;
    store.get(keys_of({1, 2, 3, 4, 5}), got, missed);
    CHECK(missed == missed_rows{1, 4});
    for (const std::size_t row : {0u, 2u, 3u}) CHECK(same_row(got, row, put, row));
    store.forget(keys_of({1, 3, 4}));
    CHECK(store.bytes() == 0);
}

TEST_CASE("the rows of one cut make way for those of another within the budget") {
    constexpr std::size_t rows = 2000, budget = rows * (row_size * sizeof(float) + feature_index_bytes);
    memory_feature_store<float> store(budget);
    const auto key = [](std::size_t row, std::uint32_t cut) {
        return std::vector<feature_key>{{.sample = row, .cut = cut}};
    };
    for (std::size_t row = 0; row < rows; ++row)
        store.put(key(row, 1), rows_of<float>(1, static_cast<double>(row)));
    std::size_t lost = 0;
    auto small = rows_of<float>(1, 0, {1, 1, 7});
    missed_rows missed;
    for (std::size_t i = 0; i < rows; ++i) {
        const std::size_t row = i * 7 % rows;
        auto got = rows_of<float>(1, 0);
        store.get(key(row, 1), got, missed);
        REQUIRE(missed.empty());
        REQUIRE(same(got, rows_of<float>(1, static_cast<double>(row))));
        store.forget(key(row, 1));
        store.put(key(row, 2), rows_of<float>(1, static_cast<double>(row), {1, 1, 7}));
        store.get(key(row, 2), small, missed);
        lost += missed.size();
        REQUIRE(store.bytes() <= budget);
    }
    CHECK(lost <= rows / 32);
    for (std::size_t row = 0; row < rows; ++row) {
        store.get(key(row, 2), small, missed);
        if (missed.empty()) REQUIRE(same(small, rows_of<float>(1, static_cast<double>(row), {1, 1, 7})));
    }
    store.put(key(0, 2), small);
    CHECK_THROWS_AS(store.put(key(1, 2), rows_of<float>(1, 0)), shape_error);
}
