// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/features/encodings.hpp"
#include "frostline/features/feature_index.hpp"
#include "frostline/features/memory_slab.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Keeps features in memory. Rows beyond the budget are forgotten: the first that came stay, since each epoch
/// asks for all of them and replacing would miss more.
template <class T, encoding<T> Encoding = exact_encoding>
class memory_feature_store {
public:
    /// @param budget bytes that rows and index may take
    explicit memory_feature_store(std::size_t budget) : budget_(budget) {}

    /// Keeps the rows that the budget has room for; a key that is held already gets the new row. Of equal
    /// keys in one call the first counts. @throws shape_error unless all rows of a cut have one shape
    void put(std::span<const feature_key> keys, const tensor<T>& rows) {
        check_rows("memory_feature_store", keys, rows, cuts_);
        if (keys.empty()) return;
        const sample_shape shape = shape_of(rows);
        ++puts_;
        places_.resize(keys.size());
        for (std::size_t row = 0; row < keys.size(); ++row) places_[row] = place_for(keys[row], shape);
        const T* const source = rows.data();
        for_each_place(shape, [=, this](std::size_t row) {
            Encoding::encode(source + row * shape.size(), shape, places_[row]);
        });
    }

    /// @throws shape_error unless the rows have the shape of those that were put
    void get(std::span<const feature_key> keys, tensor<T>& rows, std::vector<std::size_t>& missed) {
        check_rows("memory_feature_store", keys, rows, cuts_);
        missed.clear();
        places_.resize(keys.size());
        for (std::size_t row = 0; row < keys.size(); ++row) {
            const auto found = index_.find(keys[row]);
            places_[row] =
                found == index_.end() ? nullptr : cuts_.at(keys[row].cut).place(found->second.slot);
            if (!places_[row]) missed.push_back(row);
        }
        const sample_shape shape = shape_of(rows);
        T* const target = rows.data();
        for_each_place(shape, [=, this](std::size_t row) {
            Encoding::decode(places_[row], shape, target + row * shape.size());
        });
    }

    void prefetch(std::span<const feature_key>) {}

    /// The last rows of the cut take the places of those forgotten, so that whole slabs go back.
    void forget(std::span<const feature_key> keys) {
        for (const feature_key& key : keys) {
            const auto found = index_.find(key);
            if (found == index_.end()) continue;
            cut_rows& rows = cuts_.at(key.cut);
            const std::size_t slot = found->second.slot, last = rows.keys.size() - 1;
            if (slot != last) {
                std::memcpy(rows.place(slot), rows.place(last), rows.row_bytes);
                rows.keys[slot] = rows.keys[last];
                index_.at(rows.keys[slot]).slot = slot;
            }
            rows.keys.pop_back();
            index_.erase(found);
            if ((rows.slabs.size() - 1) * rows.rows_per_slab == rows.keys.size()) {
                slab_bytes_ -= rows.slabs.back().size();
                rows.slabs.pop_back();
            }
            if (rows.keys.empty()) cuts_.erase(key.cut);
        }
    }

    void clear() {
        index_ = {};
        cuts_.clear();
        slab_bytes_ = 0;
    }

    bool holds(const feature_key& key) const { return index_.contains(key); }

    /// Whole slabs, also where their last rows are still free, and the index.
    std::size_t bytes() const { return slab_bytes_ + index_.size() * feature_index_bytes; }

    std::size_t budget() const { return budget_; }
    std::vector<store_tier> tiers() const { return {{.name = "memory", .budget = budget_}}; }
    std::size_t row_bytes(const sample_shape& shape) const {
        return Encoding::template bytes<T>(shape) + feature_index_bytes;
    }

private:
    // Small beside the budget, so that little is lost while the rows of one cut make way for those of
    // another.
    static constexpr std::size_t most_slab_bytes = std::size_t{64} << 20, slabs_of_budget = 128;
    static constexpr std::size_t copy_grain_bytes = std::size_t{64} << 10;

    struct entry {
        std::size_t slot;
        std::uint64_t last_put;  ///< number of the call that wrote it last
    };

    /// The rows of one cut, in slabs that never move.
    struct cut_rows {
        sample_shape shape;
        std::size_t row_bytes, rows_per_slab;
        std::vector<feature_key> keys{};  ///< by slot
        std::vector<memory_slab> slabs{};

        std::size_t capacity() const {
            return slabs.empty() ? 0 : (slabs.size() - 1) * rows_per_slab + slabs.back().size() / row_bytes;
        }
        std::byte* place(std::size_t slot) const {
            return slabs[slot / rows_per_slab].data() + slot % rows_per_slab * row_bytes;
        }
    };

    std::byte* place_for(const feature_key& key, const sample_shape& shape) {
        if (const auto found = index_.find(key); found != index_.end()) {
            if (found->second.last_put == puts_) return nullptr;
            found->second.last_put = puts_;
            return cuts_.at(key.cut).place(found->second.slot);
        }
        const std::size_t held = bytes(), free = budget_ > held ? budget_ - held : 0;
        if (free < feature_index_bytes) return nullptr;
        auto place = cuts_.find(key.cut);
        if (place == cuts_.end()) {
            const std::size_t row_bytes = std::max<std::size_t>(1, Encoding::template bytes<T>(shape));
            const std::size_t slab = std::min(most_slab_bytes, budget_ / slabs_of_budget);
            place = cuts_
                        .emplace(key.cut,
                                 cut_rows{shape, row_bytes,
                                          std::max<std::size_t>(1, slab / (row_bytes + feature_index_bytes))})
                        .first;
        }
        cut_rows& rows = place->second;
        const std::size_t slot = rows.keys.size();
        if (slot == rows.capacity() && !add_slab(rows, free)) {
            if (rows.keys.empty()) cuts_.erase(place);
            return nullptr;
        }
        rows.keys.push_back(key);
        index_.emplace(key, entry{slot, puts_});
        return rows.place(slot);
    }

    // Only the last slab may hold fewer rows than the others, and none while other rows still make way.
    bool add_slab(cut_rows& rows, std::size_t free) {
        const std::size_t count = std::min(rows.rows_per_slab, free / (rows.row_bytes + feature_index_bytes));
        const bool short_before = rows.capacity() < rows.slabs.size() * rows.rows_per_slab;
        if (count == 0 || short_before || (count < rows.rows_per_slab && cuts_.size() > 1)) return false;
        memory_slab slab(count * rows.row_bytes);
        if (!slab.data()) return false;
        slab_bytes_ += slab.size();
        rows.slabs.push_back(std::move(slab));
        return true;
    }

    template <class Copy>
    void for_each_place(const sample_shape& shape, const Copy& copy) const {
        const std::size_t row_bytes = std::max<std::size_t>(1, shape.size() * sizeof(T));
        parallel_ranges(places_.size(), copy_grain_bytes / row_bytes,
                        [&](std::size_t begin, std::size_t end) {
                            for (std::size_t row = begin; row < end; ++row)
                                if (places_[row]) copy(row);
                        });
    }

    std::size_t budget_;
    std::uint64_t puts_ = 0;
    std::unordered_map<feature_key, entry, feature_key_hash> index_;
    std::map<std::uint32_t, cut_rows> cuts_;
    std::size_t slab_bytes_ = 0;
    std::vector<std::byte*> places_;  // of the rows of the current call; null where nothing is copied
};

}  // namespace frostline
