// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/random.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// An invented run with one decision an epoch, to ask policies about: scores fall with noise, now and then
/// one is absent, losses fall, the learning rate drops tenfold twice, and in the last third the loss jumps.
class policy_trace {
public:
    static constexpr std::size_t blocks = 6, decisions = 24;

    explicit policy_trace(std::uint64_t seed, bool with_scores = true)
        : costs_(blocks,
                 {.forward_flops = 4, .backward_flops = 8, .output_bytes = 64, .backward_input_flops = 4}) {
        const random_stream draws(seed, purpose::user, hash_of("policy_trace"));
        for (std::size_t i = 0; i < decisions; ++i) {
            const auto time = static_cast<double>(i);
            decision_scores scores(blocks);
            for (std::size_t block = 0; with_scores && block < blocks; ++block) {
                const double draw = draws.uniform(i * blocks + block);
                if (draw > 0.05)
                    scores[block] =
                        std::exp(-time / (2 + static_cast<double>(block))) * (0.5 + draw) + 1e-4 * draw;
            }
            scores_.push_back(std::move(scores));
            losses_.push_back((i == 2 * decisions / 3 ? 4 : 1) * 2 / (1 + time));
            rates_.push_back(i < decisions / 3 ? 0.1 : i < 2 * decisions / 3 ? 0.01 : 0.001);
        }
    }

    /// What `policy` wants before the first step.
    template <freezing_policy Policy>
    frozen_blocks start(const Policy& policy) const {
        return frozen_at_start(policy, training_view{.epochs = decisions,
                                                     .blocks = blocks,
                                                     .last_freezable = blocks - 1,
                                                     .costs = costs_,
                                                     .steps = 10 * decisions});
    }

    /// What `policy` wants after each decision, every wish being granted within the trainer's limits; frozen
    /// blocks have no scores.
    /// @param below_zero  set where an answer was: it wraps to a number that no network has blocks for
    template <freezing_policy Policy>
    std::vector<frozen_blocks> follow(const Policy& policy, bool* below_zero = nullptr) const {
        std::vector<frozen_blocks> answers;
        frozen_blocks frozen;
        std::vector<decision_scores> seen;
        for (std::size_t i = 0; i < decisions; ++i) {
            seen.push_back(scores_[i]);
            for (std::size_t block = 0; block < blocks; ++block)
                if (frozen.contains(block)) seen.back()[block] = std::nullopt;
            const frozen_blocks wanted = policy(view(i, seen, frozen));
            if (below_zero && wanted.leading() > std::numeric_limits<std::size_t>::max() / 2)
                *below_zero = true;
            frozen = frozen_blocks(std::min(wanted.leading(), blocks - 1));
            for (const std::size_t block : wanted.behind())
                if (block + 1 < blocks) frozen.insert(block);
            answers.push_back(frozen);
        }
        return answers;
    }

private:
    training_view view(std::size_t decision, const std::vector<decision_scores>& seen,
                       const frozen_blocks& frozen) const {
        const std::size_t past = decision + 1;
        const auto done = static_cast<double>(past), all = static_cast<double>(decisions);
        return {.epoch = past,
                .epochs = decisions,
                .step = 10 * past,
                .blocks = blocks,
                .last_freezable = blocks - 1,
                .frozen = frozen.leading(),
                .scores = seen,
                .train_losses = std::span(losses_).first(past),
                .learning_rates = std::span(rates_).first(past),
                .learning_rate_left = 0.01 * (all - done),
                .costs = costs_,
                .steps = 10 * decisions,
                .frozen_behind = frozen.behind(),
                .spent = {.flops = done, .full_flops = all, .seconds = done}};
    }

    std::vector<block_costs> costs_;
    std::vector<decision_scores> scores_;
    std::vector<double> losses_;
    std::vector<double> rates_;
};

/// Tests on invented runs that a policy keeps what freezing_policy.hpp asks of it, beyond what compiles: the
/// same view gives the same answer, whatever was asked before, of a copy too; a policy that declares a scorer
/// freezes nothing without scores, but what it wants frozen at the start; one that does not declare that it
/// thaws never does; and the learning rates that it sets, and its answers, are finite and not negative.
/// @return one sentence for each promise that is broken, none where all are kept
template <class Policy>
std::vector<std::string> check_policy(const Policy& checked, std::uint64_t seed = 0) {
    static_assert(freezing_policy<Policy> || explain_freezing_policy<Policy>());
    std::vector<std::string> problems;
    constexpr std::size_t runs = 8;
    std::vector<std::vector<frozen_blocks>> first;
    bool below_zero = false;
    for (std::size_t run = 0; run < runs; ++run)
        first.push_back(policy_trace(seed + run).follow(checked, &below_zero));
    if (below_zero)
        problems.push_back(
            "a policy answers a number below zero, which would freeze all blocks, expected how many leading "
            "blocks to freeze");

    const auto count = [](const frozen_blocks& frozen) { return frozen.leading() + frozen.behind().size(); };
    const auto compare = [&](const std::vector<frozen_blocks>& answers, std::size_t run, const char* broken) {
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (answers[i] == first[run][i]) continue;
            problems.push_back(sentence(broken, ": decision ", i, " freezes ", count(answers[i]),
                                        " blocks, and froze ", count(first[run][i]), " before"));
            return false;
        }
        return true;
    };
    for (std::size_t run = 0; run < runs; ++run)
        if (!compare(policy_trace(seed + run).follow(checked), run,
                     "the same views do not give the same answers"))
            break;
    const Policy copy = checked;
    for (std::size_t run = 0; run < runs; ++run)
        if (!compare(policy_trace(seed + run).follow(copy), run, "a copy of a policy answers differently"))
            break;
    for (std::size_t run = 0; run < runs; ++run) {
        policy_trace(seed + runs + run).follow(copy);
        if (!compare(policy_trace(seed + run).follow(checked), run,
                     "a policy answers differently after its copy was asked, so copies share state"))
            break;
    }

    if (!scorer_of(checked).empty()) {
        const policy_trace without_scores(seed, /*with_scores=*/false);
        const auto at_start = without_scores.start(checked);
        for (const auto& answer : without_scores.follow(checked)) {
            if (answer == 0 || answer == at_start) continue;
            problems.push_back(sentence("a policy that declares a scorer freezes ", count(answer),
                                        " blocks without a single score, expected none"));
            break;
        }
    }

    bool thaws = false;
    for (const auto& answers : first)
        for (std::size_t i = 1; i < answers.size(); ++i)
            for (std::size_t block = 0; block < policy_trace::blocks; ++block)
                thaws = thaws || (answers[i - 1].contains(block) && !answers[i].contains(block));
    if (thaws && !may_thaw(checked))
        problems.push_back(
            "a policy thaws what it froze, expected a member thaws that is true, or answers that only grow");

    if constexpr (sets_learning_rates<Policy>) {
        constexpr std::size_t steps = 40, blocks = policy_trace::blocks;
        for (std::size_t step = 0; step < steps * blocks; ++step) {
            const rate_view now{.block = step % blocks,
                                .blocks = blocks,
                                .step = step / blocks,
                                .steps = steps,
                                .rate = 0.05,
                                .peak_rate = 0.1};
            const double rate = checked.learning_rate(now);
            if (std::isfinite(rate) && rate >= 0) continue;
            problems.push_back(sentence("the learning rate of block ", now.block, " at step ", now.step,
                                        " is ", rate, ", expected a finite number that is not negative"));
            break;
        }
    }
    return problems;
}

}  // namespace frostline
