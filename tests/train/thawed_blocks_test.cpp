// SPDX-License-Identifier: MIT
#include "frostline/train/thawed_blocks.hpp"

#include "support/catch.hpp"

#include <vector>

using namespace frostline;

namespace {

/// Notes which blocks are reset.
struct noting {
    std::vector<std::size_t> blocks{};

    void reset(std::size_t first, std::size_t last) {
        for (std::size_t block = first; block < last; ++block) blocks.push_back(block);
    }
};

std::vector<std::size_t> reset(std::size_t before, const std::vector<bool>& behind_before, std::size_t after,
                               const std::vector<bool>& behind_after) {
    noting optimiser;
    reset_thawed(optimiser, 6, {before, behind_before}, {after, behind_after});
    return optimiser.blocks;
}

}  // namespace

TEST_CASE("the momentum of the blocks that thaw is reset, and of no others") {
    using blocks = std::vector<std::size_t>;
    CHECK(reset(0, {}, 3, {}).empty());
    CHECK(reset(3, {}, 1, {}) == blocks{1, 2});
    CHECK(reset(4, {}, 4, {}).empty());
    const std::vector<bool> fourth{false, false, false, false, true, false};
    CHECK(reset(2, fourth, 2, {}) == blocks{4});
    CHECK(reset(2, fourth, 0, fourth) == blocks{0, 1});
    CHECK(reset(5, {}, 2, fourth) == blocks{2, 3});
    CHECK(reset(2, fourth, 5, {}).empty());
}
