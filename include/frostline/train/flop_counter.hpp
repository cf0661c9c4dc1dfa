// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Counts the floating-point operations that training ran, and those that it would have run without freezing.
class flop_counter {
public:
    template <class Network>
    explicit flop_counter(const Network& network) {
        for (std::size_t block = 0; block < network.blocks(); ++block) {
            const auto& flops = network.block(block).flops;
            forward_until_.push_back(forward_until_.back() + flops.forward);
            backward_input_.push_back(flops.backward_input);
            backward_parameters_.push_back(flops.backward_parameters);
            backward_inner_.push_back(flops.backward_inner);
        }
    }

    /// One step on `samples` samples, of which `filled` had to run through the dropped blocks.
    /// @param frozen_behind  the blocks behind `frozen` that spare their weight gradients, by block; empty:
    /// none
    void add_step(std::size_t samples, std::size_t filled, std::size_t frozen, std::size_t dropped,
                  const std::vector<bool>& frozen_behind = {}) {
        const std::uint64_t all = forward_until_.back();
        forward_ += samples * (all - forward_until_[dropped]) + filled * forward_until_[dropped];
        forward_full_ += samples * all;
        backward_ += samples * backward_from(frozen, frozen_behind);
        backward_full_ += samples * backward_from(0, {});
    }

    /// Samples whose features at the cut `from` ran through the blocks [from, dropped).
    void add_advance(std::size_t samples, std::size_t from, std::size_t dropped) {
        add_forward(of_advance(samples, from, dropped));
    }
    std::uint64_t of_advance(std::size_t samples, std::size_t from, std::size_t dropped) const {
        return samples * (forward_until_[dropped] - forward_until_[from]);
    }
    void add_forward(std::uint64_t flops) { forward_ += flops; }

    /// Of one sample, forward and backward, where nothing is frozen.
    std::uint64_t full_of_sample() const { return forward_until_.back() + backward_from(0, {}); }

    /// Begins to count anew.
    void reset() { forward_ = backward_ = forward_full_ = backward_full_ = 0; }

    /// For checkpoints.
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit("forward", forward_);
        visit("backward", backward_);
        visit("forward_full", forward_full_);
        visit("backward_full", backward_full_);
    }

    std::uint64_t forward() const { return forward_; }
    std::uint64_t backward() const { return backward_; }
    std::uint64_t forward_full() const { return forward_full_; }
    std::uint64_t backward_full() const { return backward_full_; }

private:
    // The first block that learns has nobody to pass its input's gradient to.
    std::uint64_t backward_from(std::size_t first, const std::vector<bool>& frozen_behind) const {
        std::uint64_t total = 0;
        for (std::size_t block = first; block < backward_input_.size(); ++block)
            total += (frozen_behind.empty() || !frozen_behind[block] ? backward_parameters_[block] : 0) +
                     (block > first ? backward_input_[block] : 0) + backward_inner_[block];
        return total;
    }

    std::vector<std::uint64_t> forward_until_{0};  // of the blocks before each boundary
    std::vector<std::uint64_t> backward_input_;
    std::vector<std::uint64_t> backward_parameters_;
    std::vector<std::uint64_t> backward_inner_;
    std::uint64_t forward_ = 0, backward_ = 0, forward_full_ = 0, backward_full_ = 0;
};

}  // namespace frostline
