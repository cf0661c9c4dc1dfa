// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/optimiser.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/pass.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/layers/softmax_cross_entropy.hpp"
#include "frostline/train/data_parallel.hpp"
#include "frostline/train/divergence.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Stands for data_parallel where a network trains in a single process, whatever the options.
struct no_exchange {
    template <class T>
    void start_step(std::size_t, const tensor<T>&, std::size_t, const std::vector<bool>&) const {}
    void add_block(std::size_t, const std::vector<bool>&) const {}
    void finish_step(const step_figures&) const {}
};

/// One step of training: forward, loss, backward and update of the blocks behind the frost line.
template <class Network, class Loss, class Optimiser>
class training_step {
    using T = typename Network::value_type;

public:
    training_step(Network& network, Loss loss, Optimiser optimiser)
        : network_(network), loss_(std::move(loss)), optimiser_(std::move(optimiser)) {}

    Loss& loss() { return loss_; }
    Optimiser& optimiser() { return optimiser_; }

    /// Before the first step of a run.
    void start() {
        optimiser_.attach(network_.slices());
        rates_.assign(network_.blocks(), {});
    }

    /// @param features  what enters the first block that learns, with these targets
    /// @param how  of the forward pass @param samples  of the batch in all processes
    /// @param line, decisions, together  where the frost line stands, who decides on it, and with whom the
    /// batch is shared
    /// @param figures  of this process; those of all processes afterwards
    /// @throws divergence_error when a gradient is NaN or infinite
    template <class Line, class Decisions, class Together>
    void operator()(const tensor<T>& features, std::span<const std::int32_t> targets, const pass& how,
                    std::size_t samples, const rate_view& rate, double weight_decay, const Line& line,
                    Decisions& decisions, Together& together, step_figures& figures) {
        const std::size_t frozen = line.frozen(), blocks = network_.blocks();
        const auto& behind = line.behind();
        const tensor<T>& logits = network_.forward(features, frozen, blocks, how, behind);
        figures.loss = loss_(logits, targets, dlogits_);
        figures.correct = count_correct(logits, targets);
        together.start_step(samples, dlogits_, frozen, behind);
        network_.backward(features, dlogits_, frozen, blocks, gradients::parameters, behind,
                          [&](std::size_t block) { together.add_block(block, behind); });
        together.finish_step(figures);
        decisions.before_update(frozen, behind);

        std::fill(rates_.begin(), rates_.end(), block_rate{.rate = rate.rate, .decay = weight_decay});
        for (std::size_t block = 0; block < behind.size(); ++block) rates_[block].learns = !behind[block];
        decisions.set_rates(rate, rates_);
        const auto diverged =
            optimiser_.step(network_.arenas().values(), network_.arenas().gradients(), frozen, rates_);
        if (diverged)
            fail_as_diverged(sentence("the gradient of block ", *diverged), how.step, figures.loss,
                             rate.rate);
        decisions.count_step(rate.rate, rates_);
    }

private:
    Network& network_;
    Loss loss_;
    Optimiser optimiser_;
    std::vector<block_rate> rates_;
    tensor<T> dlogits_;
};

}  // namespace frostline
