// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/background_loop.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/data/batches.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Loads the batches of an epoch ahead of their use: while one is trained on, the next is read, decoded and
/// augmented in the background. Never more than one is ahead, and its buffers are used again. The batches are
/// bit for bit those of `load_batch`.
template <class T, dataset Dataset>
class batch_loader {
public:
    /// `data` has to outlive the loader.
    explicit batch_loader(const Dataset& data) : data_(data) {}
    batch_loader(const batch_loader&) = delete;
    batch_loader& operator=(const batch_loader&) = delete;

    const Dataset& data() const { return data_; }

    /// Begins to load `of`, the order of which has to last until its last next(), in the given view. What was
    /// begun before is given up. @param first  number of the batch to begin with
    void start(const batches& of, std::uint32_t view, std::size_t first = 0) {
        loop_.cancel();
        present_ = end_ = of.end();
        view_ = view;
        load_ahead({of, first});
    }

    /// Exchanges the buffers for those of the next batch; to be called once for each.
    /// @throws argument_error when there is none left, and what the data set's `read` throws; then there is
    /// none left until the next start()
    void next(tensor<T>& images, std::vector<std::int32_t>& targets, std::vector<std::uint64_t>& ids) {
        require<argument_error>(present_ != end_, "a batch was asked for behind the last one of the epoch");
        auto following = std::exchange(present_, end_);
        loop_.wait();
        std::swap(images, images_);
        std::swap(targets, targets_);
        std::swap(ids, ids_);
        load_ahead(++following);
    }

private:
    void load_ahead(batches::iterator place) {
        if (place == end_) return;
        const auto batch = *place;
        indices_.assign(batch.begin(), batch.end());
        rows_ = prepare_batch(data_, indices_, images_, targets_, ids_, view_);
        loop_.start(indices_.size(), rows_->grain(), *rows_);
        present_ = place;
    }

    const Dataset& data_;
    batches::iterator present_, end_;  // present_ is the batch that is loaded ahead
    std::uint32_t view_ = 0;
    std::vector<std::size_t> indices_;  // a copy, for an epoch that ends early
    tensor<T> images_;
    std::vector<std::int32_t> targets_;
    std::vector<std::uint64_t> ids_;
    std::optional<batch_rows<T, Dataset>> rows_;
    background_loop loop_;  // the last member: it ends before what it fills
};

}  // namespace frostline::inline FROSTLINE_ISA
