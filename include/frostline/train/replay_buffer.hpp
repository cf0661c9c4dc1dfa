// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/features/encodings.hpp"
#include "frostline/features/memory_slab.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <new>
#include <numeric>
#include <optional>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// A bounded share of a stream, for replay: at any time each sample that was offered is held with the same
/// probability (reservoir sampling, Vitter 1985, algorithm R). Which ones are is a function of the seed and
/// of their numbers in the stream alone. A place whose sample was given up, by remove(), draws with the
/// others, and is empty until it is drawn.
///
/// To those who read it, a data set of the samples held. A sample's id is the number of its place, below
/// capacity(), which a later sample may take over.
/// @tparam Encoding how pixels are kept; other encodings than the exact one are smaller, and give back what
/// they kept, so that a sample is the same whenever it is replayed
template <class T, encoding<T> Encoding = exact_encoding>
class replay_buffer {
public:
    using value_type = T;
    static constexpr bool is_exact = std::same_as<Encoding, exact_encoding>;

    /// @param capacity the most samples that are held; 0: none ever are
    explicit replay_buffer(std::size_t capacity) : capacity_(capacity) {}

    /// Makes room for samples of this shape; all is allocated here. Nothing is held then.
    /// @throws std::bad_alloc when there is not enough memory
    void attach(const sample_shape& shape, std::size_t classes, std::uint64_t seed) {
        release_pixels();
        shape_ = shape;
        classes_ = classes;
        draws_ = random_stream(seed, purpose::replay);
        targets_.assign(capacity_, 0);
        numbers_.assign(capacity_, 0);
        held_.reserve(capacity_);
        free_.reserve(capacity_);
        clear();
    }

    std::size_t capacity() const { return capacity_; }

    /// Takes over a sample of the stream, or passes over it.
    /// @param number of the sample in the stream @param pixels shape().size() of them
    /// @return the index that it has from now on, until the next remove() or clear()
    std::optional<std::size_t> offer(std::uint64_t number, std::int32_t target, const T* pixels) {
        const std::uint64_t seen = offered_++;
        std::size_t index = held_.size();
        if (seen >= capacity_) {
            const double place = draws_.uniform(number) * static_cast<double>(seen + 1);
            if (place >= static_cast<double>(capacity_)) return std::nullopt;
            index = std::min(index, static_cast<std::size_t>(place));
        }
        if (index == held_.size()) {
            held_.push_back(free_.back());
            free_.pop_back();
        }
        const std::size_t slot = held_[index];
        targets_[slot] = target;
        numbers_[slot] = number;
        if (has_pixels()) Encoding::encode(pixels, shape_, row(slot));
        return index;
    }

    /// Gives up one sample; the last takes its index.
    void remove(std::size_t index) {
        free_.push_back(held_[index]);
        held_[index] = held_.back();
        held_.pop_back();
    }

    /// Gives up all samples, and begins to sample the stream anew. There are pixels again.
    /// @throws std::bad_alloc when there is not enough memory
    void clear() {
        held_.clear();
        free_.resize(capacity_);
        std::iota(free_.rbegin(), free_.rend(), std::size_t{0});
        offered_ = 0;
        if (has_pixels() || capacity_ == 0) return;
        pixels_ = memory_slab(capacity_ * row_bytes());
        if (!pixels_.data()) throw std::bad_alloc();
    }

    /// Gives the memory of the pixels back: from then on samples have targets alone, and cannot be read.
    void release_pixels() { pixels_ = memory_slab(); }
    bool has_pixels() const { return pixels_.data() != nullptr; }

    /// Of pixels, targets and places, whether they are in use or not.
    std::size_t bytes() const {
        return pixels_.size() +
               capacity_ * (sizeof(std::int32_t) + sizeof(std::uint64_t) + 2 * sizeof(std::size_t));
    }

    /// The number in the stream of the sample at `index`.
    std::uint64_t number(std::size_t index) const { return numbers_[held_[index]]; }

    std::size_t size() const { return held_.size(); }
    sample_shape shape() const { return shape_; }
    std::size_t classes() const { return classes_; }
    std::uint64_t sample_id(std::size_t index) const { return held_[index]; }
    std::int32_t target(std::size_t index) const { return targets_[held_[index]]; }

    /// @throws argument_error when the pixels were released
    template <std::floating_point U>
    void read(std::size_t index, std::span<U> pixels) const {
        require<argument_error>(has_pixels(), "sample ", index,
                                " of a replay buffer is read, but its pixels were released");
        if constexpr (std::same_as<U, T>) {
            Encoding::decode(row(held_[index]), shape_, pixels.data());
        } else {
            std::vector<T> kept(shape_.size());
            Encoding::decode(row(held_[index]), shape_, kept.data());
            std::copy(kept.begin(), kept.end(), pixels.begin());
        }
    }

private:
    std::size_t row_bytes() const { return Encoding::template bytes<T>(shape_); }
    std::byte* row(std::size_t slot) const { return pixels_.data() + slot * row_bytes(); }

    std::size_t capacity_;
    sample_shape shape_{};
    std::size_t classes_ = 0;
    random_stream draws_{0, purpose::replay};
    memory_slab pixels_;                  // by place
    std::vector<std::int32_t> targets_;   // by place
    std::vector<std::uint64_t> numbers_;  // by place
    std::vector<std::size_t> held_;       // places in use, by index
    std::vector<std::size_t> free_;       // the others
    std::uint64_t offered_ = 0;           // since the last clear
};

}  // namespace frostline
