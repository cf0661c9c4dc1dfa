// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/core/unnamed_file.hpp"
#include "frostline/features/disk_queue.hpp"
#include "frostline/features/encodings.hpp"
#include "frostline/features/feature_index.hpp"
#include "frostline/features/measure_store.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Keeps features in temporary files without a name, one a cut: written one row behind the other, written
/// behind and read ahead on threads of its own. Rows beyond the budget are forgotten. A row that cannot be
/// written, cannot be read, or comes back with another checksum is forgotten, too; after the first that
/// cannot be written no further one is taken until clear(). That a row cannot be written comes out in a later
/// call than its put.
///
/// forget() gives space back at once, but file systems do so by whole blocks (often of 4 KiB): while a cut is
/// advanced, up to a block more is in use for each row that is not of whole blocks, which bytes() does not
/// count.
template <class T, encoding<T> Encoding = exact_encoding>
class disk_feature_store {
public:
    /// @param folder where the files go @param budget bytes that rows and index may take
    /// @throws data_error when the folder takes no file
    disk_feature_store(std::filesystem::path folder, std::size_t budget)
        : folder_(std::move(folder)), budget_(budget) {
        const unnamed_file attempt(folder_);
    }
    disk_feature_store(disk_feature_store&&) = default;
    /// Would close the files before the threads are done with them.
    disk_feature_store& operator=(disk_feature_store&&) = delete;

    /// Keeps the rows that the budget has room for; a key that is held already gets the new row. Of equal
    /// keys in one call the first counts. @throws shape_error unless all rows of a cut have one shape
    void put(std::span<const feature_key> keys, const tensor<T>& rows) {
        check_rows("disk_feature_store", keys, rows, cuts_);
        if (keys.empty()) return;
        ahead_->wait();
        finish_writes();
        ++puts_;
        const sample_shape shape = shape_of(rows);
        const std::size_t size = Encoding::template bytes<T>(shape);
        auto& writes = behind_->prepare(keys.size(), keys.size() * size);
        room(keys.size() * size);  // for a get that was not announced, which should allocate nothing
        places_.resize(keys.size());
        for (std::size_t row = 0; row < keys.size(); ++row) places_[row] = place_for(keys[row], shape);
        const T* const source = rows.data();
        std::byte* const target = behind_->bytes();
        for_each_row(keys.size(), shape, [&](std::size_t row) {
            if (!places_[row]) return;
            std::byte* const bytes = target + row * size;
            Encoding::encode(source + row * shape.size(), shape, bytes);
            places_[row]->checksum = checksum_of(bytes, size);
        });
        for (std::size_t first = 0, last = 0; first < keys.size(); first = last) {
            last = first + 1;
            if (!places_[first]) continue;
            while (last < keys.size() && places_[last] && keys[last].cut == keys[first].cut &&
                   places_[last]->slot == places_[last - 1]->slot + 1)
                ++last;
            writes.push_back({.file = &cuts_.at(keys[first].cut).file,
                              .offset = places_[first]->slot * size,
                              .size = (last - first) * size,
                              .bytes = target + first * size,
                              .first = first,
                              .last = last});
        }
        if (writes.empty()) return;
        written_keys_.assign(keys.begin(), keys.end());
        writing_ = true;
        behind_->start();
    }

    /// @throws shape_error unless the rows have the shape of those that were put
    void get(std::span<const feature_key> keys, tensor<T>& rows, std::vector<std::size_t>& missed) {
        check_rows("disk_feature_store", keys, rows, cuts_);
        ahead_->wait();
        if (being_written(keys)) finish_writes();
        missed.clear();
        const sample_shape shape = shape_of(rows);
        const std::size_t size = Encoding::template bytes<T>(shape);
        reads_.assign(keys.size(), {});
        bool any = false;
        for (std::size_t row = 0; row < keys.size(); ++row) {
            const auto found = index_.find(keys[row]);
            if (found == index_.end()) continue;
            if (found->second.round == round_) {
                reads_[row] = ahead_->transfers()[found->second.ahead];
                continue;
            }
            if (!any) room(keys.size() * size);
            any = true;
            reads_[row] = read_of(keys[row], found->second, size, buffer_.data() + row * size);
            reads_[row].announce();
        }
        T* const target = rows.data();
        for_each_row(keys.size(), shape, [&](std::size_t row) {
            disk_row& read = reads_[row];
            if (read.file && read.result == disk_row::not_read) read.transfer();
            if (read.result == 0) Encoding::decode(read.bytes, shape, target + row * shape.size());
        });
        for (std::size_t row = 0; row < keys.size(); ++row) {
            if (reads_[row].result == 0) continue;
            missed.push_back(row);
            if (reads_[row].file) lose(keys[row], reads_[row].result);
        }
    }

    /// Begins to read those that it holds; the next get() finds them in memory.
    void prefetch(std::span<const feature_key> keys) {
        ahead_->wait();
        if (being_written(keys)) finish_writes();
        auto& rows = ahead_->prepare(keys.size(), bytes_of(keys));
        ++round_;
        std::byte* bytes = ahead_->bytes();
        for (const feature_key& key : keys) {
            const auto found = index_.find(key);
            if (found == index_.end()) continue;
            const std::size_t size = cuts_.at(key.cut).row_bytes;
            found->second.round = round_;
            found->second.ahead = rows.size();
            rows.push_back(read_of(key, found->second, size, bytes));
            bytes += size;
        }
        ahead_->start();
    }

    void forget(std::span<const feature_key> keys) {
        ahead_->wait();
        finish_writes();
        for (const feature_key& key : keys) {
            const auto found = index_.find(key);
            if (found == index_.end()) continue;
            cut_file& rows = cuts_.at(key.cut);
            const std::size_t slot = found->second.slot;
            if (rows.file.release(slot * rows.row_bytes, rows.row_bytes))
                --rows.occupied;
            else
                rows.free.push_back(slot);
            erase(key);
        }
    }

    void clear() {
        ahead_->wait();
        finish_writes();
        index_ = {};
        cuts_.clear();
        full_ = false;
        problem_.clear();
    }

    bool holds(const feature_key& key) const { return index_.contains(key); }

    /// On the disk, and the index, which is in memory.
    std::size_t bytes() const {
        std::size_t total = index_.size() * feature_index_bytes;
        for (const auto& [cut, rows] : cuts_) total += rows.occupied * rows.row_bytes;
        return total;
    }

    std::size_t budget() const { return budget_; }
    std::vector<store_tier> tiers() const {
        return {{.name = "disk", .budget = budget_, .read_ahead = true}};
    }
    std::size_t row_bytes(const sample_shape& shape) const {
        return Encoding::template bytes<T>(shape) + feature_index_bytes;
    }
    std::string problem() const { return problem_; }

    /// Nothing may be held.
    std::vector<tier_costs> measure(const sample_shape& shape) {
        return {measure_store<T>(*this, shape, [&] {
            finish_writes();
            for (const auto& [cut, rows] : cuts_) rows.file.flush();
        })};
    }

private:
    static constexpr std::size_t copy_grain_bytes = std::size_t{64} << 10;

    struct entry {
        std::size_t slot;
        std::uint64_t checksum = 0;
        std::uint64_t last_put = 0;  ///< number of the call that wrote it last
        std::uint64_t round = 0;     ///< number of the prefetch that reads it
        std::size_t ahead = 0;       ///< its number in that
    };

    /// The rows of one cut.
    struct cut_file {
        unnamed_file file;
        sample_shape shape;
        std::size_t row_bytes;
        std::size_t end = 0;              ///< slots that were ever used
        std::size_t held = 0;             ///< rows in the index
        std::size_t occupied = 0;         ///< slots that take space
        std::vector<std::size_t> free{};  ///< slots that take space and hold nothing
    };

    // Those of the last put alone can be: so it does not wait for any others.
    bool being_written(std::span<const feature_key> keys) const {
        return writing_ && std::ranges::any_of(keys, [&](const feature_key& key) {
                   const auto found = index_.find(key);
                   return found != index_.end() && found->second.last_put == puts_;
               });
    }

    void finish_writes() {
        if (!writing_) return;
        behind_->wait();
        writing_ = false;
        for (const disk_write& write : behind_->transfers()) {
            if (write.result == 0) continue;
            full_ = true;
            for (std::size_t row = write.first; row < write.last; ++row)
                lose(written_keys_[row], write.result);
        }
    }

    void room(std::size_t size) {
        if (buffer_.size() >= size) return;
        buffer_ = {};
        buffer_.resize(size);
    }

    // Of all of them, held or not: the largest that may be read ahead.
    std::size_t bytes_of(std::span<const feature_key> keys) const {
        std::size_t total = 0;
        for (const feature_key& key : keys) {
            const auto rows = cuts_.find(key.cut);
            if (rows != cuts_.end()) total += rows->second.row_bytes;
        }
        return total;
    }

    disk_row read_of(const feature_key& key, const entry& held, std::size_t size, std::byte* bytes) const {
        return {.file = &cuts_.at(key.cut).file,
                .offset = held.slot * size,
                .size = size,
                .checksum = held.checksum,
                .bytes = bytes};
    }

    entry* place_for(const feature_key& key, const sample_shape& shape) {
        if (const auto found = index_.find(key); found != index_.end()) {
            if (found->second.last_put == puts_) return nullptr;
            found->second.last_put = puts_;
            found->second.round = 0;
            return &found->second;
        }
        if (full_) return nullptr;
        cut_file* const rows = file_of(key.cut, shape);
        if (!rows) return nullptr;
        const bool reuse = !rows->free.empty();
        if (bytes() + (reuse ? 0 : rows->row_bytes) + feature_index_bytes > budget_) {
            if (rows->held == 0) cuts_.erase(key.cut);
            return nullptr;
        }
        const std::size_t slot = reuse ? rows->free.back() : rows->end++;
        if (reuse)
            rows->free.pop_back();
        else
            ++rows->occupied;
        ++rows->held;
        return &index_.emplace(key, entry{.slot = slot, .last_put = puts_}).first->second;
    }

    cut_file* file_of(std::uint32_t cut, const sample_shape& shape) {
        if (const auto found = cuts_.find(cut); found != cuts_.end()) return &found->second;
        try {
            unnamed_file file(folder_);
            file.read_at_random();
            return &cuts_.emplace(cut, cut_file{std::move(file), shape, Encoding::template bytes<T>(shape)})
                        .first->second;
        } catch (const data_error& problem) {
            full_ = true;
            if (problem_.empty()) problem_ = problem.what();
            return nullptr;
        }
    }

    // Its slot may be written again.
    void lose(const feature_key& key, int result) {
        if (problem_.empty())
            problem_ = sentence("the feature store in ", folder_.string(),
                                " lost rows, which are computed again: ", disk_problem(result));
        const auto found = index_.find(key);
        if (found == index_.end()) return;
        cuts_.at(key.cut).free.push_back(found->second.slot);
        erase(key);
    }

    void erase(const feature_key& key) {
        index_.erase(key);
        const auto rows = cuts_.find(key.cut);
        if (--rows->second.held == 0) cuts_.erase(rows);
    }

    template <class Action>
    static void for_each_row(std::size_t rows, const sample_shape& shape, const Action& action) {
        const std::size_t row_bytes = std::max<std::size_t>(1, shape.size() * sizeof(T));
        parallel_ranges(rows, copy_grain_bytes / row_bytes, [&](std::size_t begin, std::size_t end) {
            for (std::size_t row = begin; row < end; ++row) action(row);
        });
    }

    std::filesystem::path folder_;
    std::size_t budget_;
    bool full_ = false;
    std::string problem_;
    std::uint64_t puts_ = 0, round_ = 1;
    std::unordered_map<feature_key, entry, feature_key_hash> index_;
    std::map<std::uint32_t, cut_file> cuts_;
    aligned_vector<std::byte> buffer_;
    std::vector<entry*> places_;   // of the rows of the present put; null where nothing is kept
    std::vector<disk_row> reads_;  // of the rows of the present get
    bool writing_ = false;         // whether anybody has yet to see what became of the writes
    std::vector<feature_key> written_keys_;
    // The last members: they end before what they read and write.
    std::unique_ptr<disk_queue<disk_row>> ahead_ = std::make_unique<disk_queue<disk_row>>();
    std::unique_ptr<disk_queue<disk_write>> behind_ = std::make_unique<disk_queue<disk_write>>();
};

}  // namespace frostline
