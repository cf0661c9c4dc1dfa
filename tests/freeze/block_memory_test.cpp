// SPDX-License-Identifier: MIT
#include "frostline/freeze/block_memory.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

using namespace frostline;

namespace {

block_view<float> at(std::size_t block, std::size_t decision) {
    return {.block = block, .decision = decision};
}

}  // namespace

TEST_CASE("a block memory keeps the numbers of every block from one decision to the next") {
    block_memory memory;
    for (const std::size_t block : {3u, 0u}) {
        const auto [values, fresh] = memory.at(at(block, 0), 2 + block);
        CHECK(fresh);
        REQUIRE(values.size() == 2 + block);
        for (double& value : values) {
            CHECK(value == 0);
            value = 10.0 + static_cast<double>(block);
        }
    }
    for (const std::size_t block : {0u, 3u}) {
        const auto [values, fresh] = memory.at(at(block, 1), 2 + block);
        CHECK_FALSE(fresh);
        for (const double value : values) CHECK(value == 10.0 + static_cast<double>(block));
    }
}

TEST_CASE(
    "a block memory starts a block anew after a decision without it, in a new run and at another size") {
    block_memory memory;
    const auto is_fresh = [&](std::size_t decision, std::size_t size = 1) {
        const auto [values, fresh] = memory.at(at(1, decision), size);
        const bool zero = std::all_of(values.begin(), values.end(), [](double value) { return value == 0; });
        CHECK(zero == fresh);
        for (double& value : values) value = 5;
        return fresh;
    };
    CHECK(is_fresh(0));
    CHECK_FALSE(is_fresh(1));
    CHECK(is_fresh(3));
    CHECK_FALSE(is_fresh(4));
    CHECK(is_fresh(0));
    CHECK(is_fresh(1, 2));
    CHECK_FALSE(is_fresh(2, 2));
}

TEST_CASE("the state of a block memory is all of it, and copies share nothing") {
    block_memory memory;
    memory.at(at(2, 0), 1).values[0] = 7;
    std::vector<std::vector<double>> saved;
    memory.for_each_state([&](std::string_view, std::vector<double>& values) { saved.push_back(values); });
    block_memory restored, copy = memory;
    auto next = saved.begin();
    restored.for_each_state([&](std::string_view, std::vector<double>& values) { values = *next++; });
    copy.at(at(2, 1), 1).values[0] = 8;
    for (auto* same : {&restored, &memory}) {
        const auto [values, fresh] = same->at(at(2, 1), 1);
        CHECK_FALSE(fresh);
        CHECK(values[0] == 7);
    }
}
