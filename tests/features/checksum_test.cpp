// SPDX-License-Identifier: MIT
#include "frostline/features/checksum.hpp"

#include "support/catch.hpp"

#include <algorithm>
#include <set>
#include <vector>

using namespace frostline;

namespace {

std::vector<std::byte> bytes(std::size_t size) {
    std::vector<std::byte> made(size);
    for (std::size_t i = 0; i < size; ++i) made[i] = static_cast<std::byte>(scramble(i));
    return made;
}

}  // namespace

TEST_CASE("every flipped bit changes a checksum, and no two bits change it alike") {
    for (const std::size_t size : {1u, 7u, 8u, 31u, 32u, 33u, 100u}) {
        auto data = bytes(size);
        std::set<std::uint64_t> seen{checksum_of(data.data(), size)};
        for (std::size_t bit = 0; bit < 8 * size; ++bit) {
            const auto flip = static_cast<std::byte>(1u << bit % 8);
            data[bit / 8] ^= flip;
            seen.insert(checksum_of(data.data(), size));
            data[bit / 8] ^= flip;
        }
        CHECK(seen.size() == 8 * size + 1);
    }
}

TEST_CASE("a checksum tells apart what is shorter, exchanged or zero") {
    const std::vector<std::byte> zeros(200);
    std::set<std::uint64_t> seen;
    for (std::size_t size = 0; size <= 200; ++size) seen.insert(checksum_of(zeros.data(), size));
    CHECK(seen.size() == 201);

    auto data = bytes(64);
    const auto before = checksum_of(data.data(), 64);
    std::swap_ranges(data.begin(), data.begin() + 8, data.begin() + 8);  // another lane
    CHECK(checksum_of(data.data(), 64) != before);
    data = bytes(64);
    std::swap_ranges(data.begin(), data.begin() + 8, data.begin() + 32);  // the same lane
    CHECK(checksum_of(data.data(), 64) != before);
}
