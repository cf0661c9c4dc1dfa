// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/parallel.hpp"

#include <algorithm>
#include <bit>
#include <cstddef>

/// Stands before a loop whose iterations are independent even when its arrays are the same one (in place):
/// without it compilers test for overlap at run time and then fall back to scalar code exactly in the
/// in-place case.
#if defined(__clang__)
#define FROSTLINE_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define FROSTLINE_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace frostline::inline FROSTLINE_ISA::kernels {

/// The most columns that an inner loop covers: what it keeps for each column fits on the stack and in the
/// nearest cache.
inline constexpr std::size_t tile_columns = 256;

/// Fewer channels than this would leave vector registers partly empty: so many rows are then taken side by
/// side.
inline constexpr std::size_t folded_rows = 16;

/// Rows of a chunk, the unit of work and of summation: a function of the channels alone, so that sums do not
/// depend on the number of threads. About 16,384 elements, a multiple of `folded_rows`.
inline std::size_t chunk_rows(std::size_t channels) {
    return std::clamp<std::size_t>(std::bit_floor(16384 / channels), folded_rows, 1024);
}

inline std::size_t chunk_count(std::size_t rows, std::size_t channels) {
    const std::size_t chunk = chunk_rows(channels);
    return (rows + chunk - 1) / chunk;
}

/// A part of a row-major matrix that one thread works on: some rows of some channels.
struct row_tile {
    std::size_t chunk = 0;
    std::size_t rows = 0;
    std::size_t first_channel = 0;
    std::size_t channels = 0;
    std::size_t fold = 1;    ///< rows taken as one long row
    std::size_t offset = 0;  ///< of the first element
    std::size_t stride = 0;  ///< elements from one row to the next

    std::size_t width() const { return channels * fold; }

    /// Calls body(offset, rows, stride, width) for the long rows, then for the single rows that are left:
    /// column `c` of a call belongs to channel `first_channel + c % channels`.
    template <class Body>
    void sweep(const Body& body) const {
        const std::size_t long_rows = rows / fold;
        body(offset, long_rows, stride * fold, width());
        body(offset + long_rows * fold * stride, rows % fold, stride, channels);
    }

    /// Repeats one value a channel for every column of a long row.
    template <class T>
    void spread(const T* by_channel, T* by_column) const {
        for (std::size_t part = 0; part < fold; ++part)
            std::copy_n(by_channel + first_channel, channels, by_column + part * channels);
    }

    /// Sums the columns of a channel into its first column.
    template <class T>
    void gather(T* by_column) const {
        for (std::size_t part = 1; part < fold; ++part)
            for (std::size_t c = 0; c < channels; ++c) by_column[c] += by_column[part * channels + c];
    }
};

/// Calls body(tile) in parallel for tiles that cover the matrix; always the same tiles.
template <class Body>
void for_each_tile(std::size_t rows, std::size_t channels, const Body& body) {
    const std::size_t chunk = chunk_rows(channels);
    const std::size_t fold = channels < folded_rows ? folded_rows : 1;
    parallel_ranges(chunk_count(rows, channels), 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t number = begin; number < end; ++number)
            for (std::size_t channel = 0; channel < channels; channel += tile_columns)
                body(row_tile{.chunk = number,
                              .rows = std::min(chunk, rows - number * chunk),
                              .first_channel = channel,
                              .channels = std::min(tile_columns, channels - channel),
                              .fold = fold,
                              .offset = number * chunk * channels + channel,
                              .stride = channels});
    });
}

}  // namespace frostline::kernels
