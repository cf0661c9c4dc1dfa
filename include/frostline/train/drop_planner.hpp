// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/concepts/feature_store.hpp"
#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/observer.hpp"
#include "frostline/concepts/plan_costs.hpp"
#include "frostline/core/pass.hpp"
#include "frostline/core/stopwatch.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/data/batches.hpp"
#include "frostline/features/assumed_costs.hpp"
#include "frostline/features/drop_plan.hpp"
#include "frostline/features/measure_store.hpp"
#include "frostline/train/costs.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Seconds that each block takes for one sample of `images`, forward in inference: the faster of two passes.
template <class Network, class T>
std::vector<double> block_seconds_of(Network& network, const tensor<T>& images) {
    const auto samples = static_cast<double>(samples_of(images));
    std::vector<double> seconds(network.blocks());
    for (int round = 0; round < 2; ++round) {
        const tensor<T>* x = &images;
        for (std::size_t block = 0; block < seconds.size(); ++block) {
            const stopwatch watch;
            x = &network.forward(*x, block, block + 1, {.phase = phase::inference});
            const double taken = watch.seconds() / samples;
            seconds[block] = round == 0 ? taken : std::min(seconds[block], taken);
        }
    }
    return seconds;
}

/// Asks the plan what to drop, and keeps what it reckons with: the costs of this run, and how much of the
/// present cut is stored.
template <class Network, class Store>
class drop_planner {
    using T = typename Network::value_type;

public:
    drop_planner(Network& network, Store& store)
        : network_(network), store_(store), blocks_(costs_of_blocks(network)) {
        start();
    }

    /// A run begins, without blocks dropped. @param costs  absent: measured when the first block is frozen
    /// @throws argument_error when the given costs do not fit network and store
    void start(std::optional<plan_costs> costs = std::nullopt) {
        costs_ = std::move(costs);
        tiers_ = tiers_of(store_);
        if (costs_) check(*costs_, network_.blocks(), tiers_.size());
        row_bytes_.clear();
        for (std::size_t block = 0; block < network_.blocks(); ++block)
            row_bytes_.push_back(row_bytes_of<T>(store_, network_.block(block).output));
        dropped_ = filled_ = tiers_used_ = 0;
    }

    /// To be asked once at the end of each epoch: what to drop, `frozen` blocks being frozen from then on.
    /// The first time that any is, it times blocks and store, on a batch of so many samples. Of the processes
    /// that share the training set one asks, and the others pass_epoch().
    /// @param samples  that are stored here; 0: those that `train` has
    template <dataset Train>
    drop_decision plan(const Train& train, std::size_t epochs_left, std::size_t frozen,
                       std::size_t batch_size = 128, std::size_t samples = 0) {
        const std::size_t views = views_of(train);
        pass_epoch();
        if (frozen > 0 && store_.budget() == 0) return {.reason = "there is no store"};
        if (frozen > 0 && views > 0 && !costs_) measure(train, batch_size);
        return plan_drop({.blocks = blocks_,
                          .row_bytes = row_bytes_,
                          .tiers = tiers_,
                          .samples = samples > 0 ? samples : train.size(),
                          .views = views,
                          .epochs_left = epochs_left,
                          .frozen = frozen,
                          .dropped = dropped_,
                          .filled_views = std::min(views, filled_),
                          .tiers_used = tiers_used_,
                          .grows = grows(store_)},
                         costs_ ? *costs_ : plan_costs{});
    }

    /// Another view is stored, if any is.
    void pass_epoch() { ++filled_; }

    /// The cut is moved as decided.
    void moved(const drop_decision& decision) {
        if (decision.dropped == dropped_) return;
        dropped_ = decision.dropped;
        filled_ = 0;
        tiers_used_ = decision.tiers;
        use_tiers();
    }

    /// Whether the next epoch meets a view that is not stored at the present cut.
    bool fills(std::size_t views) const { return dropped_ > 0 && filled_ < views; }

    /// For checkpoints, after start().
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        visit("dropped", dropped_);
        visit("filled", filled_);
        visit("tiers_used", tiers_used_);
        plan_costs costs = costs_.value_or(plan_costs{});
        visit("block_seconds", costs.block_seconds);
        std::vector<double> speeds;  // two a tier
        for (const auto& tier : costs.tiers) {
            speeds.push_back(tier.write_bytes_per_second);
            speeds.push_back(tier.read_bytes_per_second);
        }
        visit("tier_speeds", speeds);
        if (!costs.block_seconds.empty()) {
            costs.tiers.resize(speeds.size() / 2);
            for (std::size_t tier = 0; tier < costs.tiers.size(); ++tier)
                costs.tiers[tier] = {speeds[2 * tier], speeds[2 * tier + 1]};
            check(costs, network_.blocks(), tiers_.size());
            costs_ = std::move(costs);
        }
        if (dropped_ > 0) use_tiers();
    }

    std::size_t tiers_used() const { return tiers_used_; }
    bool has_costs() const { return costs_.has_value(); }

    /// For the record, once there are costs.
    plan_costs_known basis(std::size_t epoch, std::size_t step) const {
        return {.epoch = epoch,
                .step = step,
                .costs = *costs_,
                .tiers = tiers_,
                .row_bytes = row_bytes_,
                .grows = grows(store_)};
    }

private:
    void use_tiers() {
        if constexpr (requires { store_.use_tiers(tiers_used_); }) store_.use_tiers(tiers_used_);
    }

    // The store is empty: nothing was dropped before.
    template <dataset Train>
    void measure(const Train& train, std::size_t batch_size) {
        std::vector<std::size_t> indices(std::min(batch_size, train.size()));
        std::iota(indices.begin(), indices.end(), std::size_t{0});
        tensor<T> images;
        std::vector<std::int32_t> targets;
        std::vector<std::uint64_t> ids;
        load_batch(train, indices, images, targets, ids);
        costs_ = plan_costs{.block_seconds = block_seconds_of(network_, images),
                            .tiers = measure_tiers<T>(store_, network_.shape_at(1))};
    }

    Network& network_;
    Store& store_;
    std::vector<block_costs> blocks_;
    std::optional<plan_costs> costs_;
    std::vector<store_tier> tiers_;
    std::vector<std::size_t> row_bytes_;  // by block
    std::size_t dropped_ = 0;
    std::size_t filled_ = 0;      // epochs since the cut moved
    std::size_t tiers_used_ = 0;  // by what is stored
};

}  // namespace frostline
