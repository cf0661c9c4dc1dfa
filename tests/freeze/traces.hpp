// SPDX-License-Identifier: MIT
// Runs of invented scores, for policies.
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/core/random.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace traces {

using namespace frostline;
using trace = std::vector<decision_scores>;

/// What a policy may see of a run with one decision an epoch. Losses and rates may be left empty.
struct run {
    trace scores;
    std::size_t epochs = 0;  ///< 0: as many as there are decisions
    std::vector<double> learning_rates{};
    std::vector<double> train_losses{};
};

/// The view after `decisions` decisions of `of`, of which it keeps `kept`.
inline training_view view_of(const run& of, std::size_t decisions, const frozen_blocks& frozen,
                             const trace& kept) {
    const std::size_t blocks = of.scores.empty() ? 5 : of.scores[0].size();
    training_view view;
    view.epoch = decisions;
    view.epochs = of.epochs > 0 ? of.epochs : of.scores.size();
    view.blocks = blocks;
    view.last_freezable = blocks - 1;
    view.frozen = frozen.leading();
    view.frozen_behind = frozen.behind();
    view.scores = kept;
    if (!of.learning_rates.empty()) view.learning_rates = std::span(of.learning_rates).first(decisions);
    if (!of.train_losses.empty()) view.train_losses = std::span(of.train_losses).first(decisions);
    return view;
}

/// What `policy` wants after each decision, each wish being granted and hiding the scores of frozen blocks.
template <class Policy>
std::vector<frozen_blocks> follow(const Policy& policy, const run& of) {
    std::vector<frozen_blocks> wanted;
    frozen_blocks frozen;
    trace seen;
    for (std::size_t decision = 0; decision < of.scores.size(); ++decision) {
        seen.push_back(of.scores[decision]);
        for (std::size_t block = 0; block < seen.back().size(); ++block)
            if (frozen.contains(block)) seen.back()[block] = std::nullopt;
        frozen = policy(view_of(of, decision + 1, frozen, seen));
        wanted.push_back(frozen);
    }
    return wanted;
}

/// The same, of a policy that freezes leading blocks only.
template <class Policy>
std::vector<std::size_t> leading(const Policy& policy, const run& of) {
    std::vector<std::size_t> numbers;
    for (const auto& wanted : follow(policy, of))
        numbers.push_back(wanted.behind().empty() ? wanted.leading() : 9999);
    return numbers;
}

/// Scores that fall, with noise and gaps.
inline trace random_scores(std::uint64_t seed, std::size_t decisions, std::size_t blocks) {
    const random_stream draws(seed, purpose::user);
    trace scores(decisions, decision_scores(blocks));
    for (std::size_t i = 0; i < decisions; ++i)
        for (std::size_t block = 0; block < blocks; ++block) {
            const double draw = draws.uniform(i * blocks + block);
            if (draw > 0.1)
                scores[i][block] = draw * std::exp(-3.0 * static_cast<double>(i * (blocks - block)) /
                                                   static_cast<double>(decisions * blocks));
        }
    return scores;
}

/// The scores of one block, with a head beside it.
inline trace of_block(const std::vector<std::optional<double>>& scores) {
    trace made;
    for (const auto& score : scores) made.push_back({score, 1.0});
    return made;
}

}  // namespace traces
