// SPDX-License-Identifier: MIT
#include "frostline/core/random.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <vector>

using namespace frostline;

static_assert(std::uniform_random_bit_generator<random_stream>);

TEST_CASE("scramble gives the published sequence of SplitMix64") {
    static_assert(scramble(0) == 0xE220A8397B1DCDAFULL);
    static_assert(scramble(0x9E3779B97F4A7C15ULL) == 0x6E789E6AA1B965F4ULL);
    CHECK(scramble(2 * 0x9E3779B97F4A7C15ULL) == 0x06C45D188009454FULL);
}

TEST_CASE("hash_of gives the published values of FNV-1a") {
    static_assert(hash_of("") == 0xCBF29CE484222325ULL);
    CHECK(hash_of("a") == 0xAF63DC4C8601EC8CULL);
    CHECK(hash_of("foobar") == 0x85944171F73967E8ULL);
}

TEST_CASE("a random_stream is a function of its keys and the index") {
    const random_stream draws(7, purpose::dropout, 3, 4);
    const double later = draws.uniform(100);
    for (std::uint64_t index = 0; index < 100; ++index) draws.uniform(index);
    CHECK(random_stream(7, purpose::dropout, 3, 4).uniform(100) == later);
}

TEST_CASE("random_streams of different keys differ") {
    std::set<std::uint64_t> seen;
    for (const auto& stream :
         {random_stream(1, purpose::dropout, 2, 3), random_stream(2, purpose::dropout, 2, 3),
          random_stream(1, purpose::split, 2, 3), random_stream(1, purpose::dropout, 3, 2),
          random_stream(1, purpose::dropout, 2, 4), random_stream(1, purpose::dropout)})
        for (std::uint64_t index = 0; index < 1000; ++index) seen.insert(stream.bits(index));
    CHECK(seen.size() == 6000);
}

TEST_CASE("a random_stream counts up when it is used as a generator") {
    random_stream draws(1, purpose::user);
    const auto copy = draws;
    CHECK(draws() == copy.bits(0));
    CHECK(draws() == copy.bits(1));
}

TEST_CASE("uniform draws fill [0, 1) evenly") {
    const random_stream draws(11, purpose::user);
    std::vector<int> tenths(10);
    for (std::uint64_t index = 0; index < 100000; ++index) {
        const double draw = draws.uniform(index);
        REQUIRE((draw >= 0 && draw < 1));
        ++tenths[static_cast<std::size_t>(draw * 10)];
    }
    for (const int count : tenths) CHECK(std::abs(count - 10000) < 500);  // 5 standard deviations
}

TEST_CASE("normal draws have mean 0, variance 1 and normal tails") {
    const random_stream draws(12, purpose::user);
    constexpr int count = 100000;
    double sum = 0, squares = 0;
    int beyond = 0;
    for (std::uint64_t index = 0; index < count; ++index) {
        const double draw = draws.normal(index);
        REQUIRE(std::isfinite(draw));
        sum += draw;
        squares += draw * draw;
        beyond += std::abs(draw) > 2;
    }
    CHECK(std::abs(sum / count) < 0.016);
    CHECK(std::abs(squares / count - 1) < 0.023);
    CHECK(std::abs(beyond / double(count) - 0.0455) < 0.0033);
}

TEST_CASE("shuffle permutes, and always alike for one stream") {
    std::vector<int> values(1000), other;
    std::iota(values.begin(), values.end(), 0);
    const auto sorted = values;
    other = values;
    shuffle(std::span(values), random_stream(1, purpose::batch_order, 2));
    CHECK(values != sorted);
    CHECK(std::is_permutation(values.begin(), values.end(), sorted.begin()));
    shuffle(std::span(other), random_stream(1, purpose::batch_order, 2));
    CHECK(values == other);
    shuffle(std::span(other), random_stream(1, purpose::batch_order, 3));
    CHECK(values != other);
}

TEST_CASE("shuffle leads to each order equally often") {
    std::vector<int> counts(6);
    for (std::uint64_t key = 0; key < 6000; ++key) {
        std::vector<int> values{0, 1, 2};
        shuffle(std::span(values), random_stream(5, purpose::user, key));
        ++counts[static_cast<std::size_t>(values[0] * 2 + (values[1] > values[2]))];
    }
    for (const int count : counts) CHECK(std::abs(count - 1000) < 150);
}

TEST_CASE("shuffle takes spans of nothing and of one") {
    std::vector<int> one{4};
    shuffle(std::span<int>{}, random_stream(1, purpose::user));
    shuffle(std::span(one), random_stream(1, purpose::user));
    CHECK(one == std::vector{4});
}
