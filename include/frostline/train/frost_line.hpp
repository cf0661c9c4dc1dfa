// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/compose/network.hpp"
#include "frostline/concepts/dataset.hpp"
#include "frostline/concepts/feature_store.hpp"
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

    /// The blocks that are frozen behind the line, by block of the network; empty: none.
    const std::vector<bool>& behind() const { return behind_; }

    /// Moves both boundaries. Whatever changes the features behind the cut, or the cut, empties the store.
    /// @param behind  the blocks that are frozen behind `frozen`, by block of the network; empty: none
    void move(std::size_t frozen, std::size_t dropped, std::vector<bool> behind = {}) {
        // Blocks below the cut that thaw will change: what was computed with them must never be found again.
        if (frozen < dropped_) ++weight_version_;
        if (dropped != dropped_) store_.clear();
        network_.forget(0, frozen);
        frozen_ = frozen;
        dropped_ = dropped;
        behind_ = std::move(behind);
    }

    /// Takes the next batch that was loaded ahead, and gives what enters block frozen(), as below. Nothing
    /// may be dropped.
    template <dataset Dataset>
    const tensor<T>& input(batch_loader<T, Dataset>& loader, std::vector<std::int32_t>& targets,
                           std::vector<std::uint64_t>& ids) {
        loader.next(images_, targets, ids);
        return network_.forward(images_, 0, frozen_, {.phase = phase::inference});
    }

    /// Loads a view of the samples at `indices`, and gives what enters block frozen(); valid until the next
    /// call. `targets` and `ids` are sized and overwritten.
    template <dataset Dataset>
    const tensor<T>& input(const Dataset& data, std::span<const std::size_t> indices,
                           std::vector<std::int32_t>& targets, std::vector<std::uint64_t>& ids,
                           std::uint32_t view = 0) {
        constexpr pass inference{.phase = phase::inference};
        if (dropped_ == 0) {
            load_batch(data, indices, images_, targets, ids, view);
            return network_.forward(images_, 0, frozen_, inference);
        }
        targets.resize(indices.size());
        ids.resize(indices.size());
        keys_.resize(indices.size());
        const std::uint32_t stored_view = is_random(data) ? view : 0;
        for (std::size_t row = 0; row < indices.size(); ++row) {
            targets[row] = data.target(indices[row]);
            ids[row] = data.sample_id(indices[row]);
            keys_[row] = {.sample = ids[row],
                          .view = stored_view,
                          .cut = static_cast<std::uint32_t>(dropped_),
                          .weight_version = weight_version_};
        }
        resize(features_, indices.size(), network_.shape_at(dropped_));
        store_.get(keys_, features_, missed_);
        if (!missed_.empty()) fill(data, indices, view);
        return network_.forward(features_, dropped_, frozen_, inference);
    }

    /// Number of samples that had to run through the dropped blocks since the last call, to fill the store.
    std::size_t take_filled_samples() { return std::exchange(filled_samples_, 0); }

private:
    // Computes the missed rows, and those alone: inference gives a sample the same bits in any batch.
    template <dataset Dataset>
    void fill(const Dataset& data, std::span<const std::size_t> indices, std::uint32_t view) {
        missed_indices_.resize(missed_.size());
        missed_keys_.resize(missed_.size());
        for (std::size_t i = 0; i < missed_.size(); ++i) {
            missed_indices_[i] = indices[missed_[i]];
            missed_keys_[i] = keys_[missed_[i]];
        }
        load_batch(data, missed_indices_, images_, missed_targets_, missed_ids_, view);
        const tensor<T>& rows = network_.forward(images_, 0, dropped_, {.phase = phase::inference});
        store_.put(missed_keys_, rows);
        filled_samples_ += missed_.size();
        const std::size_t size = shape_of(features_).size();
        for (std::size_t i = 0; i < missed_.size(); ++i)
            std::copy_n(rows.data() + i * size, size, features_.data() + missed_[i] * size);
    }

    Network& network_;
    Store& store_;
    std::size_t frozen_ = 0;
    std::size_t dropped_ = 0;
    std::vector<bool> behind_;
    std::uint64_t weight_version_ = 0;
    std::size_t filled_samples_ = 0;

    tensor<T> images_;
    tensor<T> features_;
    std::vector<feature_key> keys_, missed_keys_;
    std::vector<std::size_t> missed_, missed_indices_;
    std::vector<std::int32_t> missed_targets_;
    std::vector<std::uint64_t> missed_ids_;
};

}  // namespace frostline
