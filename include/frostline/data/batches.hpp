// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/tensor.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <numeric>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// The ids of all samples of a data set, in its order.
template <dataset Dataset>
std::vector<std::uint64_t> sample_ids(const Dataset& data) {
    std::vector<std::uint64_t> ids(data.size());
    for (std::size_t index = 0; index < ids.size(); ++index) ids[index] = data.sample_id(index);
    return ids;
}

/// The order in which an epoch visits the samples with these ids, as indices into `ids`; each comes once.
///
/// Position p of the order holds a sample of shard p % shards, so a batch whose size is a multiple of
/// `shards` takes an equal share from each. Which shard a sample is in depends on the ids and on `shards`
/// alone: shards are the same in every epoch, random with respect to the classes, and equal in size up to one
/// sample. Within its shard a sample's place is drawn from (seed, epoch, shard). The ids in visiting order do
/// not depend on the order of `ids`, nor on how many processes divide the shards among them.
/// @throws argument_error when there are no samples, no shards, or more shards than samples
inline std::vector<std::size_t> batch_order(std::span<const std::uint64_t> ids, std::uint64_t seed,
                                            std::uint64_t epoch, std::size_t shards = 1) {
    require<argument_error>(!ids.empty(), "a batch order needs at least 1 sample, found 0");
    require<argument_error>(shards >= 1 && shards <= ids.size(), "the number of shards is ", shards,
                            ", expected at least 1 and at most ", ids.size(), ", the number of samples");
    std::vector<std::size_t> ranked(ids.size());
    std::iota(ranked.begin(), ranked.end(), std::size_t{0});
    std::sort(ranked.begin(), ranked.end(), [&](std::size_t left, std::size_t right) {
        const std::uint64_t left_key = scramble(ids[left]);
        const std::uint64_t right_key = scramble(ids[right]);
        return left_key != right_key ? left_key < right_key : left < right;
    });

    std::vector<std::size_t> order(ids.size());
    std::vector<std::size_t> members;
    for (std::size_t shard = 0; shard < shards; ++shard) {
        members.clear();
        for (std::size_t rank = shard; rank < ranked.size(); rank += shards) members.push_back(ranked[rank]);
        shuffle(std::span(members), random_stream(seed, purpose::batch_order, epoch, shard));
        for (std::size_t place = 0; place < members.size(); ++place)
            order[place * shards + shard] = members[place];
    }
    return order;
}

/// The order for samples whose ids are 0, 1, ..., size - 1.
inline std::vector<std::size_t> batch_order(std::size_t size, std::uint64_t seed, std::uint64_t epoch,
                                            std::size_t shards = 1) {
    std::vector<std::uint64_t> ids(size);
    std::iota(ids.begin(), ids.end(), std::uint64_t{0});
    return batch_order(ids, seed, epoch, shards);
}

/// Cuts an order into batches: a view of indices that the caller keeps alive. The last batch may be smaller.
class batches {
public:
    class iterator {
    public:
        using value_type = std::span<const std::size_t>;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        using reference = value_type;
        using pointer = void;

        iterator() = default;
        iterator(const batches& of, std::size_t number)
            : order_(of.order_), size_(of.batch_size_), number_(number) {}

        value_type operator*() const { return cut(order_, size_, number_); }
        iterator& operator++() {
            ++number_;
            return *this;
        }
        iterator operator++(int) {
            auto before = *this;
            ++number_;
            return before;
        }
        bool operator==(const iterator& other) const { return number_ == other.number_; }

    private:
        std::span<const std::size_t> order_;
        std::size_t size_ = 1;
        std::size_t number_ = 0;
    };

    /// `shards` is the number that `order` was made with.
    /// @throws argument_error when the batch size is 0, larger than the set, or not a multiple of `shards`
    batches(std::span<const std::size_t> order, std::size_t batch_size, std::size_t shards = 1)
        : order_(order), batch_size_(batch_size) {
        require<argument_error>(batch_size >= 1 && batch_size <= order.size(), "the batch size is ",
                                batch_size, ", expected at least 1 and at most ", order.size(),
                                ", the number of samples");
        require<argument_error>(shards >= 1 && batch_size % shards == 0, "the batch size is ", batch_size,
                                ", expected a multiple of ", shards, ", the number of shards");
    }
    batches(std::vector<std::size_t>&&, std::size_t, std::size_t = 1) = delete;

    std::size_t size() const { return (order_.size() + batch_size_ - 1) / batch_size_; }
    std::span<const std::size_t> operator[](std::size_t number) const {
        return cut(order_, batch_size_, number);
    }
    iterator begin() const { return {*this, 0}; }
    iterator end() const { return {*this, size()}; }

private:
    static std::span<const std::size_t> cut(std::span<const std::size_t> order, std::size_t size,
                                            std::size_t number) {
        const std::size_t begin = std::min(number * size, order.size());
        return order.subspan(begin, std::min(size, order.size() - begin));
    }

    std::span<const std::size_t> order_;
    std::size_t batch_size_;
};

/// The rows of a batch that are still to be read: a loop body over its samples.
template <class T, dataset Dataset>
struct batch_rows {
    const Dataset* data;
    std::span<const std::size_t> indices;
    std::uint32_t view;
    T* images;
    std::int32_t* targets;
    std::uint64_t* ids;
    std::size_t row_size;

    /// Smaller tasks cost more than they carry.
    std::size_t grain() const { return 1 + 16384 / row_size; }

    void operator()(std::size_t begin, std::size_t end) const {
        for (std::size_t row = begin; row < end; ++row) {
            targets[row] = data->target(indices[row]);
            ids[row] = data->sample_id(indices[row]);
            read_view(*data, indices[row], view, std::span<T>(images + row * row_size, row_size));
        }
    }
};

/// Sizes all that a batch is read into; allocates only beyond the largest batch so far.
/// @return what fills it @throws argument_error when an index is outside the data set
template <dataset Dataset, class T>
batch_rows<T, Dataset> prepare_batch(const Dataset& data, std::span<const std::size_t> indices,
                                     tensor<T>& images, std::vector<std::int32_t>& targets,
                                     std::vector<std::uint64_t>& ids, std::uint32_t view) {
    const std::size_t size = data.size();
    for (const std::size_t index : indices) {
        require<argument_error>(index < size, "a batch asks for sample ", index, " of a data set of ", size);
    }
    const sample_shape shape = data.shape();
    resize(images, indices.size(), shape);
    targets.resize(indices.size());
    ids.resize(indices.size());
    return {&data, indices, view, images.data(), targets.data(), ids.data(), shape.size()};
}

/// Reads a view of the samples at `indices` into the rows of `images`, in parallel, with their targets and
/// ids. Sizes all three and allocates only beyond the largest batch so far.
/// @throws argument_error when an index is outside the data set, and what the data set's `read` throws
template <dataset Dataset, class T>
void load_batch(const Dataset& data, std::span<const std::size_t> indices, tensor<T>& images,
                std::vector<std::int32_t>& targets, std::vector<std::uint64_t>& ids, std::uint32_t view = 0) {
    const auto rows = prepare_batch(data, indices, images, targets, ids, view);
    parallel_ranges(indices.size(), rows.grain(), rows);
}

}  // namespace frostline::inline FROSTLINE_ISA
