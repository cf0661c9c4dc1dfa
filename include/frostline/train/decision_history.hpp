// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/observer.hpp"
#include "frostline/concepts/optimiser.hpp"
#include "frostline/concepts/scorer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/core/within.hpp"
#include "frostline/freeze/any_scorer.hpp"
#include "frostline/train/block_observations.hpp"
#include "frostline/train/costs.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Asks scorer and policy at each decision point, keeps what both have to know of the past, and translates
/// between the blocks of the network and the learning blocks that policies see.
template <class Network, class Scorer, class Policy>
class decision_history {
    using T = typename Network::value_type;
    static_assert(scorer<Scorer, T> || explain_scorer<Scorer, T>());
    static_assert(freezing_policy<Policy> || explain_freezing_policy<Policy>());

public:
    decision_history(Network& network, Scorer scorer, Policy policy)
        : network_(network), policy_(std::move(policy)), deciding_(network, std::move(scorer)) {
        for (std::size_t block = 0; block < network.blocks(); ++block)
            if (network.block(block).learns()) learning_blocks_.push_back(block);
        costs_ = costs_of_learning_blocks(costs_of_blocks(network_), learning_blocks_);
    }

    /// Scores by another scorer, too, which watches for itself: its scores are told with each decision, and
    /// the policy does not see them. To be called before start().
    /// @throws argument_error where one of the others has this name
    void also_score(any_scorer<T> other) {
        for (const auto& there : others_)
            require<argument_error>(there.given.name() != other.name(), "two scorers are called ",
                                    other.name(), ", expected a name for each");
        others_.emplace_back(network_, std::move(other));
    }

    /// Samples that the probe batch should have, the most that a scorer observes; none where none observes
    /// outputs.
    std::size_t probe_samples() const {
        std::size_t most = deciding_.observed.observed().probe_samples;
        for (const auto& other : others_) most = std::max(most, other.observed.observed().probe_samples);
        return most;
    }

    /// Where a scorer compares with a snapshot: this one, which has to outlive the start of a run.
    void compare_with(Network& snapshot) { snapshot_ = &snapshot; }

    /// @param probe_images  see probe_samples()
    void start(std::size_t epochs, std::size_t steps = 0, const tensor<T>& probe_images = {}) {
        epochs_ = epochs;
        steps_of_run_ = steps;
        scores_.clear();
        train_losses_.clear();
        learning_rates_.clear();
        forgotten_ = first_step_ = 0;
        for_each_scorer([&](auto& each) {
            each.scorer.emplace(each.given);
            each.observed.start(first_rows(probe_images, each.observed.observed().probe_samples), snapshot_);
        });
        forget_interval();
        paused_ = false;
    }

    /// Steps count for nothing until start(): nothing is observed, and no decision may be taken.
    void pause() { paused_ = true; }
    bool paused() const { return paused_; }

    /// What the policy freezes before the first step, after start().
    frozen_blocks at_start() const {
        return frozen_at_start(policy_, training_view{.epochs = epochs_,
                                                      .blocks = learning_blocks_.size(),
                                                      .last_freezable = last_freezable(),
                                                      .costs = costs_,
                                                      .steps = steps_of_run_});
    }

    /// Before a step; `last` tells whether a decision follows it. Like before_update, for scorers that
    /// observe gradients or the path.
    void before_step(bool last) {
        if (!paused_) for_each_scorer([&](auto& each) { each.observed.before_step(last); });
    }

    /// Between backward and update of a step that trains the blocks of the network from `frozen` on, but for
    /// those that are frozen `behind`, by block.
    void before_update(std::size_t frozen, const std::vector<bool>& behind = {}) {
        if (!paused_)
            for_each_scorer([&](auto& each) { each.observed.before_update(frozen, behind, steps_); });
    }

    /// After the update of a step.
    /// @param rates  by block of the network, where they are not all `learning_rate`
    /// @throws argument_error where a scorer observes gradients or the path, but before_update was not called
    void count_step(double learning_rate, std::span<const block_rate> rates = {}) {
        if (paused_) return;
        for_each_scorer([](auto& each) { each.observed.after_update(); });
        learning_rate_sum_ += learning_rate;
        for (std::size_t block = 0; block < block_rate_sums_.size(); ++block)
            block_rate_sums_[block] += rates.empty() ? learning_rate : rates[block].rate;
        ++steps_;
    }

    /// Sets the rates of the learning blocks, by block of the network, where the policy sets rates.
    /// @param now  its block and blocks are filled in
    void set_rates(rate_view now, std::span<block_rate> rates) const {
        if constexpr (sets_learning_rates<Policy>) {
            now.blocks = learning_blocks_.size();
            for (now.block = 0; now.block < now.blocks; ++now.block)
                rates[learning_blocks_[now.block]].rate = policy_.learning_rate(now);
        }
    }

    /// The first block that still learns when `wanted` learning blocks are frozen. Blocks without parameters
    /// freeze with the block before them; the last learning block is the head, which never freezes.
    std::size_t boundary(std::size_t wanted) const {
        if (wanted == 0 || learning_blocks_.size() <= 1) return 0;
        return learning_blocks_[std::min(wanted, learning_blocks_.size() - 1)];
    }

    /// Which blocks of the network are frozen behind the boundary when a policy wants `wanted`; empty: none.
    /// Blocks without parameters are frozen with the block before them here, too.
    std::vector<bool> frozen_behind(const frozen_blocks& wanted) const {
        std::vector<bool> frozen;
        for (const std::size_t i : wanted.behind()) {
            if (i >= last_freezable()) break;  // the head
            frozen.resize(network_.blocks());
            for (std::size_t block = learning_blocks_[i]; block < learning_blocks_[i + 1]; ++block)
                frozen[block] = true;
        }
        return frozen;
    }

    /// Scores the learning blocks that are not frozen and asks the policy.
    /// @param train_loss  mean of the samples since the last decision
    /// @param frozen, behind  the leading blocks of the network that are frozen, and the others, by block
    decision_taken take(std::size_t epoch, std::size_t step, double train_loss, double learning_rate_left,
                        std::size_t frozen, const std::vector<bool>& behind = {},
                        const run_spending& spent = {}) {
        std::vector<std::size_t> active, learning_behind;
        for (std::size_t i = 0; i < learning_blocks_.size(); ++i) {
            const std::size_t block = learning_blocks_[i];
            if (block >= frozen) (!behind.empty() && behind[block] ? learning_behind : active).push_back(i);
        }
        const auto scores_of = [&](auto& each) {
            decision_scores scores(learning_blocks_.size());
            each.observed.decide(frozen, steps_);
            for (const std::size_t i : active)
                scores[i] = (*each.scorer)(view_of(learning_blocks_[i], each.observed));
            return scores;
        };
        decision_scores scores = scores_of(deciding_);
        std::vector<scores_by> other_scores;
        for (auto& other : others_) other_scores.push_back({other.given.name(), scores_of(other)});
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
            .last_freezable = last_freezable(),
            .frozen = static_cast<std::size_t>(first_learning - learning_blocks_.begin()),
            .scores = scores_,
            .train_losses = train_losses_,
            .learning_rates = learning_rates_,
            .learning_rate_left = learning_rate_left,
            .costs = costs_,
            .steps = steps_of_run_,
            .frozen_behind = learning_behind,
            .spent = spent,
            .first_step = first_step_};
        const frozen_blocks wanted = policy_(view);
        decision_taken decision{.epoch = epoch,
                                .step = step,
                                .blocks = learning_blocks_,
                                .scores = std::move(scores),
                                .learning_rate_sum = learning_rate_sum_,
                                .learning_rate_left = learning_rate_left,
                                .steps = steps_,
                                .wanted = wanted,
                                .train_loss = train_loss,
                                .other_scores = std::move(other_scores)};
        for_each_scorer([](auto& each) { each.observed.next_interval(); });
        forget_interval();
        return decision;
    }

    /// For runs without an end: forgets all but the last `most` decisions, `steps` steps apart.
    void keep_last(std::size_t most, std::size_t steps) {
        if (scores_.size() <= most) return;
        const std::size_t gone = scores_.size() - most;
        const auto forget = [&](auto& values) {
            values.erase(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(gone));
        };
        forget(scores_);
        forget(train_losses_);
        forget(learning_rates_);
        forgotten_ += gone;
        first_step_ += gone * steps;
    }

    /// FLOPs of the probe and reference passes since the start of the run.
    std::uint64_t scoring_flops() const {
        std::uint64_t flops = deciding_.observed.flops();
        for (const auto& other : others_) flops += other.observed.flops();
        return flops;
    }

    /// For checkpoints, after start(). Policies are pure functions of what is kept here and have no state.
    /// @throws argument_error when a scorer has state and does not show it
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        decision_scores all;
        for (const auto& scores : scores_) all.insert(all.end(), scores.begin(), scores.end());
        visit("scores", all);
        visit("train_losses", train_losses_);
        visit("learning_rates", learning_rates_);
        const std::size_t decisions = train_losses_.size(), blocks = learning_blocks_.size();
        require<data_error>(all.size() == decisions * blocks && learning_rates_.size() == decisions,
                            "its history holds ", all.size(), " scores, ", decisions, " losses and ",
                            learning_rates_.size(), " learning rates of decisions on ", blocks, " blocks");
        scores_.resize(decisions);
        for (std::size_t i = 0; i < decisions; ++i)
            scores_[i].assign(all.begin() + static_cast<std::ptrdiff_t>(i * blocks),
                              all.begin() + static_cast<std::ptrdiff_t>((i + 1) * blocks));
        visit("learning_rate_sum", learning_rate_sum_);
        visit("block_rate_sums", std::span(block_rate_sums_));
        visit("steps", steps_);
        show_state(deciding_, visit);
        for (auto& other : others_) show_state(other, within("also." + other.given.name(), visit));
    }

private:
    // A scorer, and what it observes. Each run asks a copy of it, which remembers nothing of runs before.
    template <class S>
    struct watching {
        watching(Network& network, S asked)
            : given(std::move(asked)), scorer(given), observed(network, given.observes) {}

        S given;
        std::optional<S> scorer;  // never empty; not every scorer can be assigned to
        block_observations<Network> observed;
    };

    template <class Visit>
    void for_each_scorer(const Visit& visit) {
        visit(deciding_);
        for (auto& other : others_) visit(other);
    }

    template <class S, class Visitor>
    static void show_state(watching<S>& each, const Visitor& visit) {
        each.observed.for_each_state(within("observed", visit));
        for_each_state_of<T>(*each.scorer, within("scorer", visit));
    }

    static tensor<T> first_rows(const tensor<T>& images, std::size_t rows) {
        tensor<T> first;
        rows = std::min(rows, samples_of(images));
        if (rows == 0) return first;
        resize(first, rows, shape_of(images));
        std::copy_n(images.data(), first.size(), first.data());
        return first;
    }

    std::size_t last_freezable() const { return learning_blocks_.empty() ? 0 : learning_blocks_.size() - 1; }

    block_view<T> view_of(std::size_t block, const block_observations<Network>& observed) const {
        auto view = observed.view(block);
        view.decision = forgotten_ + scores_.size();
        view.learning_rate_sum = block_rate_sums_[block];
        return view;
    }

    void forget_interval() {
        learning_rate_sum_ = 0;
        block_rate_sums_.assign(network_.blocks(), 0);
        steps_ = 0;
    }

    Network& network_;
    Policy policy_;
    watching<Scorer> deciding_;  // whose scores the policy sees
    std::vector<watching<any_scorer<T>>> others_;
    Network* snapshot_ = nullptr;
    std::vector<std::size_t> learning_blocks_;  // their numbers in the network

    std::size_t epochs_ = 0;
    std::size_t steps_of_run_ = 0;
    std::vector<decision_scores> scores_;
    std::vector<double> train_losses_;
    std::vector<double> learning_rates_;
    std::size_t forgotten_ = 0;   // decisions that are kept no longer
    std::size_t first_step_ = 0;  // behind the last of them
    std::vector<block_costs> costs_;

    double learning_rate_sum_ = 0;
    std::vector<double> block_rate_sums_;  // by block of the network
    std::size_t steps_ = 0;
    bool paused_ = false;
};

}  // namespace frostline
