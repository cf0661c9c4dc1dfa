// SPDX-License-Identifier: MIT
#include "frostline/kernels/row_tiles.hpp"

#include "support/catch.hpp"

#include <atomic>
#include <vector>

using namespace frostline;

TEST_CASE("row tiles cover every element once and know its channel") {
    const std::size_t sizes[][2] = {{1, 1},     {37, 3},   {3000, 6},  {1025, 15},
                                    {1025, 16}, {70, 300}, {33, 1000}, {5, 513}};
    for (const auto& [rows, channels] : sizes) {
        INFO(rows << " rows of " << channels);
        std::vector<std::atomic<int>> visits(rows * channels);
        std::atomic<int> wrong = 0;
        kernels::for_each_tile(rows, channels, [&, channels = channels](const kernels::row_tile& tile) {
            wrong += tile.width() > kernels::tile_columns;
            tile.sweep([&](std::size_t offset, std::size_t count, std::size_t stride, std::size_t width) {
                for (std::size_t row = 0; row < count; ++row)
                    for (std::size_t c = 0; c < width; ++c) {
                        const std::size_t element = offset + row * stride + c;
                        ++visits[element];
                        wrong += element % channels != tile.first_channel + c % tile.channels;
                    }
            });
        });
        CHECK(wrong == 0);
        CHECK(std::all_of(visits.begin(), visits.end(), [](const auto& count) { return count == 1; }));
    }
}

TEST_CASE("chunks are whole long rows of about the same size") {
    for (const std::size_t channels : {1, 3, 16, 64, 300, 4096, 100000}) {
        const std::size_t rows = kernels::chunk_rows(channels);
        CHECK(rows % kernels::folded_rows == 0);
        CHECK(rows >= 16);
        CHECK(rows <= 1024);
    }
    CHECK(kernels::chunk_rows(64) == 256);
    CHECK(kernels::chunk_count(257, 64) == 2);
    CHECK(kernels::chunk_count(0, 64) == 0);
}
