// SPDX-License-Identifier: MIT
#include "frostline/concepts/feature_store.hpp"

#include "frostline/features/any_feature_store.hpp"
#include "frostline/features/memory_feature_store.hpp"
#include "frostline/features/no_feature_store.hpp"
#include "support/catch.hpp"

#include <vector>

using namespace frostline;

namespace {

// The smallest model that holds anything: one row.
struct one_row {
    feature_key key{};
    std::vector<float> row{};

    void put(std::span<const feature_key> keys, const tensor<float>& rows) {
        if (keys.empty() || !row.empty()) return;
        key = keys[0];
        row.assign(rows.data(), rows.data() + rows.size() / keys.size());
    }
    void get(std::span<const feature_key> keys, tensor<float>& rows, std::vector<std::size_t>& missed) {
        missed.clear();
        for (std::size_t i = 0; i < keys.size(); ++i) {
            if (!row.empty() && keys[i] == key)
                std::copy(row.begin(), row.end(), rows.data() + i * row.size());
            else
                missed.push_back(i);
        }
    }
    void prefetch(std::span<const feature_key>) {}
    void clear() { row.clear(); }
    std::size_t bytes() const { return row.size() * sizeof(float); }
    std::size_t budget() const { return 1 << 10; }
};

// One requirement is missing in each.
struct cannot_clear : one_row {
    void clear() = delete;
};
struct has_no_hint : one_row {
    void prefetch(std::span<const feature_key>) = delete;
};
struct tells_no_bytes : one_row {
    double bytes() const { return 0; }
};
struct measures_only_when_changing : one_row {
    std::size_t budget() { return 0; }
};
struct misses_nothing : one_row {
    void get(std::span<const feature_key>, tensor<float>&) {}
};

static_assert(feature_store<one_row, float>);
static_assert(!feature_store<one_row, double>);
static_assert(!feature_store<cannot_clear, float>);
static_assert(!feature_store<has_no_hint, float>);
static_assert(!feature_store<tells_no_bytes, float>);
static_assert(!feature_store<measures_only_when_changing, float>);
static_assert(!feature_store<misses_nothing, float>);
static_assert(!feature_store<int, float>);
static_assert(feature_store<memory_feature_store<double>, double>);
static_assert(feature_store<no_feature_store, float> && feature_store<no_feature_store, double>);
static_assert(feature_store<any_feature_store<float>, float>);

/// Puts three rows and asks for them in another order, with one that was never put. @return the numbers
/// missed
template <feature_store<float> Store>
std::vector<std::size_t> missed_of_four(Store& store) {
    tensor<float> rows, found;
    resize(rows, 3, {1, 1, 2});
    resize(found, 4, {1, 1, 2});
    for (std::size_t i = 0; i < rows.size(); ++i) rows.data()[i] = 0.1f * static_cast<float>(i + 1);
    store.put(std::vector<feature_key>{{.sample = 1}, {.sample = 2}, {.sample = 3}}, rows);
    std::vector<std::size_t> missed{77};
    const std::vector<feature_key> keys{{.sample = 3}, {.sample = 9}, {.sample = 1}, {.sample = 2}};
    store.get(keys, found, missed);
    for (std::size_t i = 0; i < 4; ++i) {
        if (std::find(missed.begin(), missed.end(), i) != missed.end()) continue;
        const std::size_t row = keys[i].sample - 1;
        CHECK(std::equal(rows.data() + 2 * row, rows.data() + 2 * row + 2, found.data() + 2 * i));
    }
    return missed;
}

}  // namespace

TEST_CASE("stores give back what they hold bit for bit, and tell what they miss") {
    one_row one;
    CHECK(missed_of_four(one) == std::vector<std::size_t>{0, 1, 3});
    memory_feature_store<float> memory(1 << 20);
    CHECK(missed_of_four(memory) == std::vector<std::size_t>{1});
    no_feature_store none;
    CHECK(missed_of_four(none) == std::vector<std::size_t>{0, 1, 2, 3});
    any_feature_store<float> any = one_row{};
    CHECK(missed_of_four(any) == std::vector<std::size_t>{0, 1, 3});
}

TEST_CASE("every part of a key tells features apart") {
    const feature_key key{.sample = 1, .view = 2, .cut = 3, .weight_version = 4};
    CHECK(key == feature_key{.sample = 1, .view = 2, .cut = 3, .weight_version = 4});
    CHECK_FALSE(key == feature_key{.sample = 0, .view = 2, .cut = 3, .weight_version = 4});
    CHECK_FALSE(key == feature_key{.sample = 1, .view = 0, .cut = 3, .weight_version = 4});
    CHECK_FALSE(key == feature_key{.sample = 1, .view = 2, .cut = 0, .weight_version = 4});
    CHECK_FALSE(key == feature_key{.sample = 1, .view = 2, .cut = 3, .weight_version = 0});
}
