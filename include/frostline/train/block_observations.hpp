// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/core/sum.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/core/within.hpp"
#include "frostline/train/probe.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Watches a network train for a scorer, and keeps what the scorer observes, and nothing else.
template <class Network>
class block_observations {
    using T = typename Network::value_type;

public:
    block_observations(Network& network, const observations& observed)
        : network_(network), observed_(observed), probe_(network) {}

    const observations& observed() const { return observed_; }

    /// @param probe_images the probe batch, where the scorer observes outputs
    /// @param snapshot  where it compares with one
    void start(tensor<T> probe_images, Network* snapshot = nullptr) {
        copy_if(observed_.initial_weights, values(), initial_weights_);
        learned_ = learned_before_ = {.from = network_.blocks()};
        watching_step_ = update_announced_ = false;
        if (observed_.probe_samples > 0) {
            require<argument_error>(samples_of(probe_images) > 0, "the scorer observes outputs on ",
                                    observed_.probe_samples,
                                    " samples, but the run starts without a probe batch");
            probe_.start(std::move(probe_images), observed_.reference, snapshot);
        }
        start_interval();
    }

    /// Before a step; `last` tells whether a decision follows it.
    void before_step(bool last) {
        if (!observed_.gradient_pair || !last) return;
        learned_before_ = learned_;
        copy_if(true, gradients(), previous_gradient_);
    }

    /// Between backward and update of step number `step` since the last decision, which trains the blocks
    /// from `frozen` on, but for those that are frozen `behind`, by block; empty: none.
    void before_update(std::size_t frozen, const std::vector<bool>& behind, std::size_t step) {
        update_announced_ = true;
        frozen_ = learned_.from = frozen;
        if (observed_.gradient_pair) learned_.but_for = behind;
        const std::size_t first = network_.block(frozen).first_value;
        if (observed_.gradient_sum) {
            parallel_ranges(gradient_sum_.size() - first, grain, [&](std::size_t begin, std::size_t end) {
                const T* const gradient = gradients().data() + first;
                T* const sum = gradient_sum_.data() + first;
                for (std::size_t i = begin; i < end; ++i) sum[i] += gradient[i];
            });
        }
        watching_step_ = observed_.path_every > 0 && step % observed_.path_every == 0;
        if (watching_step_) {
            before_step_.resize(values().size());
            parallel_ranges(before_step_.size() - first, grain, [&](std::size_t begin, std::size_t end) {
                std::copy(values().data() + first + begin, values().data() + first + end,
                          before_step_.data() + first + begin);
            });
        }
    }

    /// @throws argument_error where gradients or the path are observed, but before_update was not called
    void after_update() {
        const bool announced = std::exchange(update_announced_, false);
        require<argument_error>(
            announced || !(observed_.gradient_sum || observed_.gradient_pair || observed_.path_every > 0),
            "the scorer observes gradients or the path, but before_update was not called in this step");
        if (!std::exchange(watching_step_, false)) return;
        ++watched_steps_;
        parallel_for(network_.blocks() - frozen_, [&](std::size_t i) {
            const auto after = slice(values(), frozen_ + i), before = slice(before_step_, frozen_ + i);
            path_lengths_[frozen_ + i] += std::sqrt(sum_of(after.size(), [&](std::size_t k) {
                const double moved = static_cast<double>(after[k]) - static_cast<double>(before[k]);
                return moved * moved;
            }));
        });
    }

    /// Before the first view of a decision after `steps` steps.
    void decide(std::size_t frozen, std::size_t steps) {
        steps_ = steps;
        if (observed_.probe_samples > 0) probe_.run(frozen);
    }

    /// What is known of a block now; decision and learning rates are left to the caller.
    block_view<T> view(std::size_t block) const {
        block_view<T> seen{.block = block,
                           .weights = slice(values(), block),
                           .previous_weights = slice(previous_weights_, block),
                           .steps = steps_,
                           .parameters = network_.block(block).parameters,
                           .initial_weights = slice(initial_weights_, block),
                           .gradient_sum = slice(gradient_sum_, block)};
        if (watched_steps_ > 0)
            seen.path_length =
                path_lengths_[block] * static_cast<double>(steps_) / static_cast<double>(watched_steps_);
        if (observed_.gradient_pair && learned_.has(block)) seen.gradient = slice(gradients(), block);
        if (observed_.gradient_pair && learned_before_.has(block))
            seen.previous_gradient = slice(previous_gradient_, block);
        if (observed_.probe_samples > 0) {
            seen.probe_samples = probe_.samples();
            seen.channels = network_.block(block).output.channels;
            seen.outputs = probe_.outputs(block);
            seen.reference_outputs = probe_.reference_outputs(block);
        }
        return seen;
    }

    /// After a decision.
    void next_interval() {
        if (observed_.probe_samples > 0) probe_.keep();
        start_interval();
    }

    /// Of probe and reference passes since the start of the run.
    std::uint64_t flops() const { return probe_.flops(); }

    /// For checkpoints, after start().
    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        if (observed_.initial_weights) visit("initial_weights", std::span(initial_weights_));
        if (observed_.previous_weights) visit("previous_weights", std::span(previous_weights_));
        if (observed_.gradient_sum) visit("gradient_sum", std::span(gradient_sum_));
        if (observed_.gradient_pair) {
            previous_gradient_.resize(values().size(), T{0});
            visit("gradient", network_.arenas().gradients());
            visit("previous_gradient", std::span(previous_gradient_));
            visit("gradients_from", learned_.from);
            visit("gradients_but_for", learned_.but_for);
            visit("previous_gradient_from", learned_before_.from);
            visit("previous_gradient_but_for", learned_before_.but_for);
        }
        if (observed_.path_every > 0) {
            visit("watched_steps", watched_steps_);
            visit("path_lengths", std::span(path_lengths_));
        }
        if (observed_.probe_samples > 0) probe_.for_each_state(within("probe", visit));
    }

private:
    static constexpr std::size_t grain = std::size_t{1} << 15;

    // The blocks that learned in a step: only these have a gradient of it.
    struct blocks_of_step {
        std::size_t from = 0;
        std::vector<bool> but_for{};  // by block; empty: all

        bool has(std::size_t block) const { return block >= from && (but_for.empty() || !but_for[block]); }
    };

    std::span<const T> values() const { return std::as_const(network_).arenas().values(); }
    std::span<const T> gradients() const { return std::as_const(network_).arenas().gradients(); }

    static void copy_if(bool wanted, std::span<const T> from, aligned_vector<T>& to) {
        if (wanted) to.assign(from.begin(), from.end());
    }

    std::span<const T> slice(std::span<const T> arena, std::size_t block) const {
        const auto& place = network_.block(block);
        return arena.empty() ? arena : arena.subspan(place.first_value, place.last_value - place.first_value);
    }

    void start_interval() {
        copy_if(observed_.previous_weights, values(), previous_weights_);
        if (observed_.gradient_sum) gradient_sum_.assign(values().size(), T{0});
        if (observed_.path_every > 0) path_lengths_.assign(network_.blocks(), 0.0);
        watched_steps_ = 0;
    }

    Network& network_;
    observations observed_;
    std::size_t steps_ = 0;  // of the interval that the views are about

    aligned_vector<T> initial_weights_;
    aligned_vector<T> previous_weights_;
    aligned_vector<T> gradient_sum_;

    aligned_vector<T> previous_gradient_;
    blocks_of_step learned_, learned_before_;  // in the last two steps

    aligned_vector<T> before_step_;
    bool watching_step_ = false;
    bool update_announced_ = false;  // in the step under way
    std::size_t frozen_ = 0;         // blocks before do not learn
    std::size_t watched_steps_ = 0;
    std::vector<double> path_lengths_;  // of the watched steps, by block

    probe<Network> probe_;
};

}  // namespace frostline
