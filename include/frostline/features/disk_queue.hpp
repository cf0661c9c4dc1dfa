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

    void announce() const { file->will_read(offset, size); }
    void transfer() {
        result = file->read(bytes, size, offset);
        if (result == 0 && checksum_of(bytes, size) != checksum) result = damaged;
    }
};

/// Rows that follow each other in a file and are to be written, and what became of them.
struct disk_write {
    const unnamed_file* file;
    std::size_t offset, size;
    const std::byte* bytes;   ///< where from
    std::size_t first, last;  ///< their numbers in the call that puts them
    int result = 0;           ///< 0, or an error number

    void announce() const {}
    void transfer() { result = file->write(bytes, size, offset); }
};

/// Why rows were lost, in words.
inline std::string disk_problem(int result) {
    return result == disk_row::damaged ? "a row is not what was written"
                                       : std::generic_category().message(result);
}

/// Reads or writes on a thread of its own: Transfer is disk_row or disk_write.
template <class Transfer>
class disk_queue {
public:
    /// What is to be transferred next, emptied, with room for so many of together `size` bytes; what was
    /// begun before has ended.
    std::vector<Transfer>& prepare(std::size_t count, std::size_t size) {
        thread_.wait();
        transfers_.clear();
        transfers_.reserve(count);
        if (bytes_.size() < size) {
            bytes_ = {};  // the old memory goes first
            bytes_.resize(size);
        }
        return transfers_;
    }
    std::byte* bytes() { return bytes_.data(); }

    /// Begins to transfer. The files have to last until wait().
    void start() {
        thread_.start([this] {
            for (const auto& each : transfers_) each.announce();
            for (auto& each : transfers_) each.transfer();
        });
    }

    void wait() { thread_.wait(); }
    const std::vector<Transfer>& transfers() const { return transfers_; }

private:
    std::vector<Transfer> transfers_;
    aligned_vector<std::byte> bytes_;
    background_thread thread_;  // the last member: it ends before what it fills
};

}  // namespace frostline
