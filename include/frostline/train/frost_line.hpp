// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/compose/network.hpp"
#include "frostline/concepts/dataset.hpp"
#include "frostline/concepts/feature_store.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/data/batch_loader.hpp"
#include "frostline/data/batches.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// The part of a network that has stopped learning: turns a batch of samples into the input of the first
/// block that still learns, from the feature store where the blocks are dropped, by inference where they are
/// frozen only.
template <class Network, class Store>
class frost_line {
    using T = typename Network::value_type;

public:
    frost_line(Network& network, Store& store) : network_(network), store_(store) {}

    std::size_t frozen() const { return frozen_; }
    std::size_t dropped() const { return dropped_; }

    /// Whether rows may still be stored at an earlier cut, from which they are advanced.
    bool advances() const { return !earlier_cuts_.empty(); }

    /// The blocks that are frozen behind the line, by block of the network; empty: none.
    const std::vector<bool>& behind() const { return behind_; }

    /// Their numbers.
    std::vector<std::size_t> numbers_behind() const {
        std::vector<std::size_t> numbers;
        for (std::size_t block = 0; block < behind_.size(); ++block)
            if (behind_[block]) numbers.push_back(block);
        return numbers;
    }

    /// Moves both boundaries. A cut that moves towards the output keeps what is stored at the earlier one
    /// until it is advanced, where the store can forget single rows; any other move of the cut empties the
    /// store.
    /// @param behind  the blocks that are frozen behind `frozen`, by block of the network; empty: none
    void move(std::size_t frozen, std::size_t dropped, std::vector<bool> behind = {}) {
        // Blocks below the cut that thaw will change: what was computed with them must never be found again.
        if (frozen < dropped_) ++weight_version_;
        if (dropped != dropped_) {
            if (dropped_ > 0 && dropped > dropped_ && frozen >= dropped_ && grows(store_)) {
                earlier_cuts_.push_back(dropped_);
            } else {
                store_.clear();
                earlier_cuts_.clear();
            }
        }
        network_.forget(0, frozen);
        frozen_ = frozen;
        dropped_ = dropped;
        behind_ = std::move(behind);
    }

    /// Takes the next batch that was loaded ahead, in this view, and gives what enters block frozen(), as
    /// below.
    template <dataset Dataset>
    const tensor<T>& input(batch_loader<T, Dataset>& loader, std::vector<std::int32_t>& targets,
                           std::vector<std::uint64_t>& ids, std::uint32_t view = 0) {
        loader.next(images_, targets, ids);
        if (dropped_ == 0) return network_.forward(images_, 0, frozen_, inference);
        get(ids, stored_view(loader.data(), view));
        if (!missed_.empty()) advance();
        if (!missed_.empty()) {
            keep_rows(images_, missed_);
            fill();
        }
        return network_.forward(features_, dropped_, frozen_, inference);
    }

    /// Loads a view of the samples at `indices`, and gives what enters block frozen(); valid until the next
    /// call. `targets` and `ids` are sized and overwritten.
    template <dataset Dataset>
    const tensor<T>& input(const Dataset& data, std::span<const std::size_t> indices,
                           std::vector<std::int32_t>& targets, std::vector<std::uint64_t>& ids,
                           std::uint32_t view = 0) {
        if (dropped_ == 0) {
            load_batch(data, indices, images_, targets, ids, view);
            return network_.forward(images_, 0, frozen_, inference);
        }
        targets.resize(indices.size());
        ids.resize(indices.size());
        for (std::size_t row = 0; row < indices.size(); ++row) {
            targets[row] = data.target(indices[row]);
            ids[row] = data.sample_id(indices[row]);
        }
        get(ids, stored_view(data, view));
        if (!missed_.empty()) advance();
        if (!missed_.empty()) {
            missed_indices_.clear();
            for (const std::size_t row : missed_) missed_indices_.push_back(indices[row]);
            load_batch(data, missed_indices_, images_, missed_targets_, missed_ids_, view);
            fill();
        }
        return network_.forward(features_, dropped_, frozen_, inference);
    }

    /// Tells the store which samples are asked for next.
    template <dataset Dataset>
    void prefetch(const Dataset& data, std::span<const std::size_t> indices, std::uint32_t view) {
        if (dropped_ == 0) return;
        next_keys_.clear();
        const auto add = [&](std::size_t cut) {
            for (const std::size_t index : indices)
                next_keys_.push_back(key(data.sample_id(index), stored_view(data, view), cut));
        };
        add(dropped_);
        for (const std::size_t cut : earlier_cuts_) add(cut);
        store_.prefetch(next_keys_);
    }

    /// For samples that take over the ids of others: their outputs at the cut dropped(), where blocks are
    /// dropped; what is stored of the others is never found again.
    void replace(std::span<const std::uint64_t> ids, const tensor<T>& rows) {
        if (dropped_ == 0) return;
        const auto keys_at = [&](std::size_t cut) {
            row_keys_.clear();
            for (const std::uint64_t id : ids) row_keys_.push_back(key(id, 0, cut));
        };
        if constexpr (requires { store_.forget(row_keys_); })
            for (const std::size_t cut : earlier_cuts_) {
                keys_at(cut);
                store_.forget(row_keys_);
            }
        keys_at(dropped_);
        store_.put(row_keys_, rows);
    }

    /// Whether the store holds what enters block dropped() of this sample, in its only view, or a row that is
    /// advanced to it.
    bool holds(std::uint64_t id) const {
        const auto at = [&](std::size_t cut) { return frostline::holds(store_, key(id, 0, cut)); };
        return dropped_ > 0 && (at(dropped_) || std::any_of(earlier_cuts_.begin(), earlier_cuts_.end(), at));
    }

    /// For checkpoints, after move(0, 0), and with the weights that belong to it. What the store holds is not
    /// kept, but which rows these are: they are computed again, and not counted.
    /// @param together  the processes that share `data`
    /// @param mine  which samples are this process's, by index; empty: all
    template <dataset Dataset, class Visitor, class Together>
    void for_each_state(const Dataset& data, const Visitor& visit, Together& together,
                        const std::vector<bool>& mine) {
        visit("frozen", frozen_);
        visit("dropped", dropped_);
        visit("frozen_behind", behind_);
        visit("earlier_cuts", earlier_cuts_);
        require<data_error>(frozen_ < network_.blocks() && dropped_ <= frozen_ &&
                                (behind_.empty() || behind_.size() == network_.blocks()),
                            "it has ", frozen_, " frozen and ", dropped_, " dropped blocks of ",
                            network_.blocks());
        std::vector<std::size_t> cuts = earlier_cuts_;
        if (dropped_ > 0) cuts.push_back(dropped_);
        for (const std::size_t cut : cuts) {
            require<data_error>(cut >= 1 && cut <= dropped_, "it has features at cut ", cut, ", but drops ",
                                dropped_, " blocks");
            auto held = held_at(cut, data);
            together.any(held);
            visit(sentence("held.", cut), held);
            for (std::size_t row = 0; !mine.empty() && row < held.size(); ++row)
                if (!mine[row % mine.size()]) held[row] = false;
            hold(cut, data, held);
        }
    }

    /// Number of samples that had to run through all of the dropped blocks since the last call, to fill the
    /// store.
    std::size_t take_filled_samples() { return std::exchange(filled_samples_, 0); }

    /// Calls visit(samples, from) for those that ran through the blocks [from, dropped()) alone.
    template <class Visit>
    void take_advanced_samples(const Visit& visit) {
        for (const auto& [from, samples] : advanced_) visit(samples, from);
        advanced_.clear();
    }

private:
    static constexpr pass inference{.phase = phase::inference};

    struct advanced_samples {
        std::size_t from = 0, samples = 0;
    };

    template <dataset Dataset>
    static std::uint32_t stored_view(const Dataset& data, std::uint32_t view) {
        const std::size_t views = views_of(data);
        return views == 0 ? view : static_cast<std::uint32_t>(view % views);
    }

    feature_key key(std::uint64_t id, std::uint32_t view, std::size_t cut) const {
        return {.sample = id,
                .view = view,
                .cut = static_cast<std::uint32_t>(cut),
                .weight_version = weight_version_};
    }

    void get(const std::vector<std::uint64_t>& ids, std::uint32_t view) {
        keys_.resize(ids.size());
        for (std::size_t row = 0; row < ids.size(); ++row) keys_[row] = key(ids[row], view, dropped_);
        resize(features_, ids.size(), network_.shape_at(dropped_));
        missed_indices_.reserve(ids.size());
        missed_targets_.reserve(ids.size());
        missed_ids_.reserve(ids.size());
        store_.get(keys_, features_, missed_);
    }

    // By view and sample.
    template <dataset Dataset>
    std::vector<bool> held_at(std::size_t cut, const Dataset& data) const {
        const std::size_t size = data.size();
        std::vector<bool> held(views_of(data) * size);
        for (std::size_t row = 0; row < held.size(); ++row)
            held[row] = frostline::holds(
                store_, key(data.sample_id(row % size), static_cast<std::uint32_t>(row / size), cut));
        return held;
    }

    // Computes and puts the wanted rows that are not there.
    template <dataset Dataset>
    void hold(std::size_t cut, const Dataset& data, const std::vector<bool>& wanted) {
        const auto held = held_at(cut, data);
        require<data_error>(wanted.size() == held.size(), "it tells of ", wanted.size(),
                            " rows of features at cut ", cut, ", expected ", held.size());
        constexpr std::size_t most_rows = 128;
        const std::size_t size = data.size();
        for (std::uint32_t view = 0; view < wanted.size() / size; ++view) {
            missed_indices_.clear();
            for (std::size_t index = 0; index < size; ++index) {
                const std::size_t row = view * size + index;
                if (wanted[row] && !held[row]) missed_indices_.push_back(index);
                if (missed_indices_.size() < most_rows && index + 1 < size) continue;
                if (missed_indices_.empty()) continue;
                load_batch(data, missed_indices_, images_, missed_targets_, missed_ids_, view);
                row_keys_.clear();
                for (const std::uint64_t id : missed_ids_) row_keys_.push_back(key(id, view, cut));
                store_.put(row_keys_, network_.forward(images_, 0, cut, inference));
                missed_indices_.clear();
            }
        }
    }

    // Keeps the rows at these places, ascending, and moves them together.
    static void keep_rows(tensor<T>& rows, const std::vector<std::size_t>& places) {
        const sample_shape shape = shape_of(rows);
        for (std::size_t i = 0; i < places.size(); ++i)
            if (places[i] != i)
                std::copy_n(rows.data() + places[i] * shape.size(), shape.size(),
                            rows.data() + i * shape.size());
        resize(rows, places.size(), shape);
    }

    // Of the missed rows, takes those that are stored at an earlier cut from there.
    void advance() {
        for (auto cut = earlier_cuts_.rbegin(); cut != earlier_cuts_.rend() && !missed_.empty(); ++cut) {
            row_keys_.clear();
            for (const std::size_t row : missed_) {
                row_keys_.push_back(keys_[row]);
                row_keys_.back().cut = static_cast<std::uint32_t>(*cut);
            }
            resize(earlier_, missed_.size(), network_.shape_at(*cut));
            store_.get(row_keys_, earlier_, still_missed_);
            if (still_missed_.size() == missed_.size()) continue;
            found_.clear();
            found_rows_.clear();
            for (std::size_t i = 0, next = 0; i < missed_.size(); ++i) {
                if (next < still_missed_.size() && still_missed_[next] == i) {
                    still_missed_[next++] = missed_[i];
                    continue;
                }
                row_keys_[found_.size()] = row_keys_[i];
                found_.push_back(i);
                found_rows_.push_back(missed_[i]);
            }
            row_keys_.resize(found_.size());
            keep_rows(earlier_, found_);
            // First, so that the new rows find the room.
            if constexpr (requires { store_.forget(row_keys_); }) store_.forget(row_keys_);
            keep(network_.forward(earlier_, *cut, dropped_, inference), found_rows_);
            advanced_.push_back({*cut, found_.size()});
            missed_.swap(still_missed_);
        }
    }

    // Computes the missed rows, and those alone, from their images: inference gives a sample the same bits in
    // any batch.
    void fill() {
        keep(network_.forward(images_, 0, dropped_, inference), missed_);
        filled_samples_ += missed_.size();
    }

    // Puts rows that were computed for these places of the batch.
    void keep(const tensor<T>& rows, const std::vector<std::size_t>& places) {
        row_keys_.clear();
        for (const std::size_t place : places) row_keys_.push_back(keys_[place]);
        store_.put(row_keys_, rows);
        const std::size_t size = shape_of(features_).size();
        for (std::size_t i = 0; i < places.size(); ++i)
            std::copy_n(rows.data() + i * size, size, features_.data() + places[i] * size);
    }

    Network& network_;
    Store& store_;
    std::size_t frozen_ = 0;
    std::size_t dropped_ = 0;
    std::vector<bool> behind_;
    std::vector<std::size_t> earlier_cuts_;  // where rows may still be stored, ascending
    std::uint64_t weight_version_ = 0;
    std::size_t filled_samples_ = 0;
    std::vector<advanced_samples> advanced_;

    tensor<T> images_;
    tensor<T> features_;
    tensor<T> earlier_;  // rows of an earlier cut
    std::vector<feature_key> keys_, row_keys_, next_keys_;
    std::vector<std::size_t> missed_, still_missed_, found_, found_rows_, missed_indices_;
    std::vector<std::int32_t> missed_targets_;
    std::vector<std::uint64_t> missed_ids_;
};

}  // namespace frostline
