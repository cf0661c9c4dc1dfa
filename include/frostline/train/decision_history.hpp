// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/observer.hpp"
#include "frostline/concepts/scorer.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/train/costs.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Asks the scorer and the policy at each decision point, keeps what both have to know of the past, and
/// translates between the blocks of the network and the learning blocks that policies see.
template <class Network, class Scorer, class Policy>
class decision_history {
    using T = typename Network::value_type;

public:
    decision_history(const Network& network, Scorer scorer, Policy policy)
        : network_(network), scorer_(std::move(scorer)), policy_(std::move(policy)) {
        for (std::size_t block = 0; block < network.blocks(); ++block)
            if (network.block(block).learns()) learning_blocks_.push_back(block);
    }

    void start(std::size_t epochs) {
        epochs_ = epochs;
        scores_.clear();
        train_losses_.clear();
        learning_rates_.clear();
        forget_interval();
        costs_ = learning_block_costs();
    }

    void count_step(double learning_rate) {
        learning_rate_sum_ += learning_rate;
        ++steps_;
    }

    /// The first block that still learns when `wanted` learning blocks are frozen. Blocks without parameters
    /// freeze with the block before them; the last learning block is the head, which never freezes.
    std::size_t boundary(std::size_t wanted) const {
        if (wanted == 0 || learning_blocks_.size() <= 1) return 0;
        return learning_blocks_[std::min(wanted, learning_blocks_.size() - 1)];
    }

    /// Scores the learning blocks from `frozen` on and asks the policy.
    decision_taken take(std::size_t epoch, std::size_t step, double train_loss, double learning_rate_left,
                        std::size_t frozen) {
        decision_scores scores(learning_blocks_.size());
        for (std::size_t i = 0; i < learning_blocks_.size(); ++i)
            if (learning_blocks_[i] >= frozen) scores[i] = scorer_(view_of(learning_blocks_[i]));
        scores_.push_back(scores);
        train_losses_.push_back(train_loss);
        learning_rates_.push_back(steps_ == 0 ? 0.0 : learning_rate_sum_ / static_cast<double>(steps_));

        const auto first_learning =
            std::lower_bound(learning_blocks_.begin(), learning_blocks_.end(), frozen);
        const training_view view{
            .epoch = epoch,
            .epochs = epochs_,
            .step = step,
            .blocks = learning_blocks_.size(),
            .last_freezable = learning_blocks_.empty() ? 0 : learning_blocks_.size() - 1,
            .frozen = static_cast<std::size_t>(first_learning - learning_blocks_.begin()),
            .scores = scores_,
            .train_losses = train_losses_,
            .learning_rates = learning_rates_,
            .learning_rate_left = learning_rate_left,
            .costs = costs_};
        decision_taken decision{.epoch = epoch,
                                .step = step,
                                .blocks = learning_blocks_,
                                .scores = std::move(scores),
                                .learning_rate_sum = learning_rate_sum_,
                                .learning_rate_left = learning_rate_left,
                                .steps = steps_,
                                .wanted = static_cast<std::size_t>(policy_(view))};
        forget_interval();
        return decision;
    }

private:
    block_view<T> view_of(std::size_t block) const {
        const auto& description = network_.block(block);
        const auto slice = [&](std::span<const T> arena) {
            return arena.empty() ? arena
                                 : arena.subspan(description.first_value,
                                                 description.last_value - description.first_value);
        };
        return {.block = block,
                .decision = scores_.size(),
                .weights = slice(network_.arenas().values()),
                .previous_weights = slice(previous_weights_),
                .learning_rate_sum = learning_rate_sum_,
                .steps = steps_};
    }

    void forget_interval() {
        if (scorer_.observes.previous_weights) {
            const auto values = network_.arenas().values();
            previous_weights_.assign(values.begin(), values.end());
        }
        learning_rate_sum_ = 0;
        steps_ = 0;
    }

    // Each learning block carries the blocks without parameters behind it, the first also those before it.
    std::vector<block_costs> learning_block_costs() const {
        const auto blocks = costs_of_blocks(network_);
        std::vector<block_costs> all(learning_blocks_.size());
        for (std::size_t i = 0; i < all.size(); ++i) {
            const std::size_t begin = i == 0 ? 0 : learning_blocks_[i];
            const std::size_t end = i + 1 < all.size() ? learning_blocks_[i + 1] : blocks.size();
            for (std::size_t block = begin; block < end; ++block) {
                all[i].forward_flops += blocks[block].forward_flops;
                all[i].backward_flops += blocks[block].backward_flops;
            }
            all[i].output_bytes = blocks[end - 1].output_bytes;
        }
        return all;
    }

    const Network& network_;
    Scorer scorer_;
    Policy policy_;
    std::vector<std::size_t> learning_blocks_;  // their numbers in the network

    std::size_t epochs_ = 0;
    std::vector<decision_scores> scores_;
    std::vector<double> train_losses_;
    std::vector<double> learning_rates_;
    std::vector<block_costs> costs_;

    aligned_vector<T> previous_weights_;  // of the last decision, where the scorer observes them
    double learning_rate_sum_ = 0;
    std::size_t steps_ = 0;
};

}  // namespace frostline
