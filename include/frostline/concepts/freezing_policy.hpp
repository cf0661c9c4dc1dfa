// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// The scores of one decision, by learning block (block with parameters); absent where there was no evidence,
/// and for blocks that were frozen.
using decision_scores = std::vector<std::optional<double>>;

/// What it costs to train one learning block, the blocks without parameters behind it included. For one
/// sample.
struct block_costs {
    double forward_flops = 0;
    double backward_flops = 0;
    double output_bytes = 0;  ///< at the cut behind it: what a feature store would hold
};

/// What a freezing policy sees, and all it sees. Blocks without parameters are left out: they freeze with the
/// block before them, so all block numbers here count learning blocks only, from the input.
struct training_view {
    std::size_t epoch = 0;                      ///< epochs finished
    std::size_t epochs = 0;                     ///< of the whole run
    std::size_t step = 0;                       ///< steps finished
    std::size_t blocks = 0;                     ///< learning blocks, the head included
    std::size_t last_freezable = 0;             ///< learning blocks that may freeze at most: all but the head
    std::size_t frozen = 0;                     ///< learning blocks frozen now
    std::span<const decision_scores> scores{};  ///< by decision, this one last
    std::span<const double> train_losses{};     ///< mean of each finished epoch
    std::span<const double> learning_rates{};   ///< by decision: mean rate of the steps before it
    double learning_rate_left = 0;         ///< sum of the rates of the steps still to come, by the schedule
    std::span<const block_costs> costs{};  ///< by learning block
};

/// A freezing policy: how many leading learning blocks should be frozen from now on.
///
/// Requirements on a type `P`:
/// 1. `p(view) -> std::size_t`, const, for a `training_view`. A lambda is a policy.
///
/// Contract: a pure function of the view, so that a recorded run can be replayed and a resumed one needs no
/// state of it. The trainer caps the answer at `last_freezable`; less than `view.frozen` thaws.
///
/// The smallest model: `[](const training_view&) { return std::size_t{0}; }`.
template <class P>
concept freezing_policy = requires(const P p, const training_view& view) {
    { p(view) } -> std::convertible_to<std::size_t>;
};

/// Stops compilation with one sentence for each requirement of `freezing_policy` that `P` does not meet.
template <class P>
consteval bool explain_freezing_policy() {
    static_assert(
        requires(P p, const training_view& view) { p(view); },
        "frostline: a freezing policy must be callable with a training_view");
    static_assert(
        !requires(P p, const training_view& view) { p(view); } ||
            requires(const P p, const training_view& view) { p(view); },
        "frostline: a freezing policy must be callable when const: it is a pure function of its view");
    static_assert(
        !requires(const P p, const training_view& view) { p(view); } || freezing_policy<P>,
        "frostline: a freezing policy must return how many leading learning blocks to freeze");
    return true;
}

}  // namespace frostline
