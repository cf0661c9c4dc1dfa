// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/features/feature_index.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <unordered_map>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Keeps features in memory, in slabs that never move. Rows beyond the budget are forgotten: the first that
/// came stay, since each epoch asks for all of them and replacing would miss more.
template <class T>
class memory_feature_store {
public:
    /// @param budget bytes that rows and index may take
    explicit memory_feature_store(std::size_t budget) : budget_(budget) {}

    /// Keeps the rows that the budget has room for; a key that is held already gets the new row. Of equal
    /// keys in one call the first counts. @throws shape_error unless all rows since the last clear() have one
    /// size
    void put(std::span<const feature_key> keys, const tensor<T>& rows) {
        check(keys, rows);
        if (keys.empty()) return;
        if (index_.empty()) start(rows.size() / keys.size());
        ++puts_;
        places_.resize(keys.size());
        for (std::size_t row = 0; row < keys.size(); ++row) places_[row] = place_for(keys[row]);
        const T* const source = rows.data();
        for_each_place([=, this](std::size_t row) {
            std::memcpy(places_[row], source + row * row_size_, row_size_ * sizeof(T));
        });
    }

    /// @throws shape_error unless the rows have the size of those that were put
    void get(std::span<const feature_key> keys, tensor<T>& rows, std::vector<std::size_t>& missed) {
        check(keys, rows);
        missed.clear();
        places_.resize(keys.size());
        for (std::size_t row = 0; row < keys.size(); ++row) {
            const auto found = index_.find(keys[row]);
            places_[row] = found == index_.end() ? nullptr : place_of(found->second.slot);
            if (!places_[row]) missed.push_back(row);
        }
        T* const target = rows.data();
        for_each_place([=, this](std::size_t row) {
            std::memcpy(target + row * row_size_, places_[row], row_size_ * sizeof(T));
        });
    }

    void prefetch(std::span<const feature_key>) {}

    void clear() {
        index_ = {};
        slabs_ = {};
        row_size_ = 0;
    }

    /// Whole slabs, also where their last rows are still free, and the index.
    std::size_t bytes() const {
        std::size_t elements = 0;
        for (const auto& slab : slabs_) elements += slab.size();
        return elements * sizeof(T) + index_.size() * feature_index_bytes;
    }

    std::size_t budget() const { return budget_; }

private:
    // Above the allocator's own threshold for giving memory straight back to the system.
    static constexpr std::size_t slab_bytes = std::size_t{64} << 20;
    static constexpr std::size_t copy_grain_bytes = std::size_t{64} << 10;

    struct entry {
        std::size_t slot;
        std::uint64_t last_put;  ///< number of the call that wrote it last
    };

    void check(std::span<const feature_key> keys, const tensor<T>& rows) const {
        require<shape_error>(keys.size() == samples_of(rows), "memory_feature_store: found ", keys.size(),
                             " keys for ", samples_of(rows), " rows");
        if (keys.empty() || index_.empty()) return;
        require<shape_error>(rows.size() / keys.size() == row_size_, "memory_feature_store: found rows of ",
                             rows.size() / keys.size(), " elements, but holds rows of ", row_size_,
                             "; clear it before the cut moves");
    }

    void start(std::size_t row_size) {
        slabs_ = {};
        row_size_ = row_size;
        const std::size_t row_bytes = std::max<std::size_t>(1, row_size * sizeof(T));
        most_rows_ = budget_ / (row_bytes + feature_index_bytes);
        rows_per_slab_ = std::max<std::size_t>(1, slab_bytes / row_bytes);
    }

    T* place_of(std::size_t slot) {
        return slabs_[slot / rows_per_slab_].data() + slot % rows_per_slab_ * row_size_;
    }

    T* place_for(const feature_key& key) {
        if (const auto found = index_.find(key); found != index_.end()) {
            if (found->second.last_put == puts_) return nullptr;
            found->second.last_put = puts_;
            return place_of(found->second.slot);
        }
        const std::size_t slot = index_.size();
        if (slot == most_rows_) return nullptr;
        if (slot == slabs_.size() * rows_per_slab_)
            slabs_.emplace_back(std::min(rows_per_slab_, most_rows_ - slot) * row_size_);
        index_.emplace(key, entry{slot, puts_});
        return place_of(slot);
    }

    template <class Copy>
    void for_each_place(const Copy& copy) const {
        const std::size_t row_bytes = std::max<std::size_t>(1, row_size_ * sizeof(T));
        parallel_ranges(places_.size(), copy_grain_bytes / row_bytes,
                        [&](std::size_t begin, std::size_t end) {
                            for (std::size_t row = begin; row < end; ++row)
                                if (places_[row]) copy(row);
                        });
    }

    std::size_t budget_;
    std::size_t row_size_ = 0;  // elements
    std::size_t most_rows_ = 0;
    std::size_t rows_per_slab_ = 1;
    std::uint64_t puts_ = 0;
    std::unordered_map<feature_key, entry, feature_key_hash> index_;
    std::vector<aligned_vector<T>> slabs_;
    std::vector<T*> places_;  // of the rows of the current call; null where nothing is copied
};

}  // namespace frostline
