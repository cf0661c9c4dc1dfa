// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/background_thread.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/core/unnamed_file.hpp"
#include "frostline/features/checksum.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// A row of a file that is to be read, and what became of it.
struct disk_row {
    static constexpr int not_read = -1, damaged = -2;

    const unnamed_file* file = nullptr;
    std::size_t offset = 0, size = 0;
    std::uint64_t checksum = 0;
    std::byte* bytes = nullptr;  ///< where to
    int result = not_read;       ///< 0: all there; damaged: not what was written; else an error number

    void read() {
        result = file->read(bytes, size, offset);
        if (result == 0 && checksum_of(bytes, size) != checksum) result = damaged;
    }
};

/// Why rows were lost, in words.
inline std::string disk_problem(int result) {
    return result == disk_row::damaged ? "a row is not what was written"
                                       : std::generic_category().message(result);
}

/// Reads rows on a thread of its own.
class disk_read_ahead {
public:
    /// The rows to read next, emptied, with room for so many of together `size` bytes; what was begun before
    /// has ended.
    std::vector<disk_row>& prepare(std::size_t rows, std::size_t size) {
        thread_.wait();
        rows_.clear();
        rows_.reserve(rows);
        if (bytes_.size() < size) {
            bytes_ = {};  // the old memory goes first
            bytes_.resize(size);
        }
        return rows_;
    }
    std::byte* bytes() { return bytes_.data(); }

    /// Begins to read the rows. Their files have to last until wait().
    void start() {
        thread_.start([this] {
            for (const auto& row : rows_) row.file->will_read(row.offset, row.size);
            for (auto& row : rows_) row.read();
        });
    }

    void wait() { thread_.wait(); }
    const disk_row& operator[](std::size_t index) const { return rows_[index]; }

private:
    std::vector<disk_row> rows_;
    aligned_vector<std::byte> bytes_;
    background_thread thread_;  // the last member: it ends before what it fills
};

}  // namespace frostline
