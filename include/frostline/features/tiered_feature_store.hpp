// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/features/measure_store.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Two stores as one: what the first does not keep, as it tells by `holds(key)`, goes to the second. Both
/// encode alike.
template <class T, feature_store<T> First, feature_store<T> Second>
    requires requires(const First& first, const feature_key& key) { bool{first.holds(key)}; }
class tiered_feature_store {
public:
    tiered_feature_store(First first, Second second) : first_(std::move(first)), second_(std::move(second)) {}

    void put(std::span<const feature_key> keys, const tensor<T>& rows) {
        make_room(keys.size(), rows);
        if constexpr (forgets_single_rows) forget_in_second(keys);
        first_.put(keys, rows);
        numbers_.clear();
        for (std::size_t row = 0; row < keys.size(); ++row)
            if (!first_.holds(keys[row])) numbers_.push_back(row);
        if (numbers_.empty()) return;
        if (tiers_used_ < 2 && forgets_single_rows) return;
        if (numbers_.size() == keys.size()) return second_.put(keys, rows);
        gather(keys);
        const std::size_t size = shape_of(rows).size();
        resize(rest_, numbers_.size(), shape_of(rows));
        for (std::size_t i = 0; i < numbers_.size(); ++i)
            std::copy_n(rows.data() + numbers_[i] * size, size, rest_.data() + i * size);
        second_.put(keys_, rest_);
    }

    void get(std::span<const feature_key> keys, tensor<T>& rows, std::vector<std::size_t>& missed) {
        first_.get(keys, rows, missed);
        if (missed.empty()) return;
        if (missed.size() == keys.size()) return second_.get(keys, rows, missed);
        make_room(keys.size(), rows);
        numbers_.swap(missed);
        gather(keys);
        const std::size_t size = shape_of(rows).size();
        resize(rest_, numbers_.size(), shape_of(rows));
        second_.get(keys_, rest_, missed);
        std::size_t next = 0;
        for (std::size_t i = 0; i < numbers_.size(); ++i) {
            if (next < missed.size() && missed[next] == i)
                missed[next++] = numbers_[i];
            else
                std::copy_n(rest_.data() + i * size, size, rows.data() + numbers_[i] * size);
        }
    }

    void prefetch(std::span<const feature_key> keys) {
        first_.prefetch(keys);
        keys_.clear();
        for (const feature_key& key : keys)
            if (!first_.holds(key)) keys_.push_back(key);
        second_.prefetch(keys_);
    }

    void forget(std::span<const feature_key> keys) requires requires(First f, Second s) {
        f.forget(keys), s.forget(keys);
    }
    {
        first_.forget(keys);
        second_.forget(keys);
    }

    void clear() {
        first_.clear();
        second_.clear();
    }

    /// New rows go to the first `count` stores alone.
    void use_tiers(std::size_t count) { tiers_used_ = count; }

    bool holds(const feature_key& key) const { return first_.holds(key) || second_.holds(key); }
    std::size_t bytes() const { return first_.bytes() + second_.bytes(); }
    std::size_t budget() const { return first_.budget() + second_.budget(); }
    std::size_t row_bytes(const sample_shape& shape) const { return row_bytes_of<T>(first_, shape); }

    std::vector<store_tier> tiers() const {
        auto all = tiers_of(first_);
        const auto more = tiers_of(second_);
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    std::vector<tier_costs> measure(const sample_shape& shape) {
        auto all = measure_tiers<T>(first_, shape);
        const auto more = measure_tiers<T>(second_, shape);
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    std::string problem() const {
        const auto first = problem_of(first_);
        return first.empty() ? problem_of(second_) : first;
    }

private:
    // One that cannot has to take the new row in place of the old one.
    static constexpr bool forgets_single_rows = requires(Second second, std::span<const feature_key> keys) {
        second.forget(keys);
    };

    // How many of a batch go to the second varies: for all of them at once, so that no later batch allocates.
    void make_room(std::size_t count, const tensor<T>& rows) {
        numbers_.reserve(count);
        keys_.reserve(count);
        resize(rest_, count, shape_of(rows));
    }
    // An old row must not be found in the second, whichever store takes the new one. Only what it holds: a
    // disk_feature_store finishes its writes first, which filling it should not wait for.
    void forget_in_second(std::span<const feature_key> keys) {
        keys_.clear();
        for (const feature_key& key : keys)
            if (second_may_hold(key)) keys_.push_back(key);
        if (!keys_.empty()) second_.forget(keys_);
    }
    bool second_may_hold(const feature_key& key) const {
        if constexpr (requires { bool{second_.holds(key)}; })
            return second_.holds(key);
        else
            return true;
    }

    void gather(std::span<const feature_key> keys) {
        keys_.clear();
        for (const std::size_t row : numbers_) keys_.push_back(keys[row]);
    }

    First first_;
    Second second_;
    std::size_t tiers_used_ = 2;
    std::vector<std::size_t> numbers_;  // of the rows of the present call that the first does not hold
    std::vector<feature_key> keys_;     // of those
    tensor<T> rest_;
};

}  // namespace frostline
