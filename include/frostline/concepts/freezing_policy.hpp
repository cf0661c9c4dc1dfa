// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/frozen_blocks.hpp"
#include "frostline/core/isa.hpp"

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
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
    double output_bytes = 0;          ///< at the cut behind it: what a feature store would hold
    double backward_input_flops = 0;  ///< the part of backward_flops that the input's gradient takes
    double backward_inner_flops = 0;  ///< the part that gradients between the block's own layers take
};

/// What a run has cost so far.
struct run_spending {
    double flops = 0;       ///< forward and backward, as if frozen blocks were never dropped
    double full_flops = 0;  ///< forward and backward of the whole run, if nothing ever froze
    double seconds = 0;     ///< of training, scoring and filling
};

/// What a freezing policy sees, and all it sees. Blocks without parameters are left out: they freeze with the
/// block before them, so all block numbers here count learning blocks only, from the input.
struct training_view {
    std::size_t epoch = 0;                      ///< epochs finished
    std::size_t epochs = 0;                     ///< of the whole run
    std::size_t step = 0;                       ///< steps finished
    std::size_t blocks = 0;                     ///< learning blocks, the head included
    std::size_t last_freezable = 0;             ///< learning blocks that may freeze at most: all but the head
    std::size_t frozen = 0;                     ///< leading learning blocks that are frozen now
    std::span<const decision_scores> scores{};  ///< by decision, this one last
    std::span<const double> train_losses{};     ///< by decision: mean of the samples since the one before
    std::span<const double> learning_rates{};   ///< by decision: mean rate of the steps before it
    double learning_rate_left = 0;         ///< sum of the rates of the steps still to come, by the schedule
    std::span<const block_costs> costs{};  ///< by learning block
    std::size_t steps = 0;                 ///< of the whole run
    std::span<const std::size_t> frozen_behind{};  ///< learning blocks that are frozen behind the leading
                                                   ///< ones, ascending
    run_spending spent{};
    std::size_t first_step = 0;  ///< steps finished before the interval of the first of these decisions
    double began = 0;            ///< progress() at which the policy began anew, where something thawed

    bool is_frozen(std::size_t block) const {
        return block < frozen || std::binary_search(frozen_behind.begin(), frozen_behind.end(), block);
    }

    /// Share of the run that is finished, in [0, 1]; above 1 online, behind the horizon.
    double progress() const {
        if (steps > 0) return static_cast<double>(step) / static_cast<double>(steps);
        return epochs > 0 ? static_cast<double>(epoch) / static_cast<double>(epochs) : 0.0;
    }
};

/// What a policy that sets the learning rates of blocks is told, before each step and for each learning
/// block.
struct rate_view {
    std::size_t block = 0;   ///< learning block
    std::size_t blocks = 0;  ///< learning blocks, the head included
    std::size_t step = 0;    ///< steps finished
    std::size_t steps = 0;   ///< of the whole run
    double rate = 0;         ///< of the schedule at this step
    double peak_rate = 0;    ///< the schedule's highest in the whole run
};

/// What a policy may answer: a whole number, or a set. A share or a truth value would turn into a number of
/// blocks unasked.
template <class A>
concept freezing_answer =
    std::convertible_to<A, frozen_blocks> && !std::floating_point<std::remove_cvref_t<A>> &&
    !std::same_as<std::remove_cvref_t<A>, bool>;

/// A freezing policy: which learning blocks should be frozen from now on.
///
/// Requirements on a type `P`:
/// 1. `p(view)`, const, for a `training_view`: the number of leading learning blocks, a `std::size_t`, or any
/// set of them, a `frozen_blocks`. A lambda is a policy.
/// 2. `p.learning_rate(rate_view) -> double`, const, optional: the rate of one block at one step, in place of
/// the schedule's.
/// 3. `p.scorer`, optional: the name of the scorer that it is meant for. It says that the policy uses scores,
/// and freezes nothing without them.
/// 4. `p.thaws`, optional: true says that an answer may fall below an earlier one.
/// 5. `p.at_start(view)`, const, optional: what is frozen before the first step, by a view without decisions;
/// absent: nothing. For networks that begin with trained weights.
///
/// Contract: pure functions of the view, so that a recorded run can be replayed and a resumed one needs no
/// state of it. The trainer caps the answer at `last_freezable`; what is frozen and not in the answer thaws.
///
/// The smallest model: `[](const training_view&) { return std::size_t{0}; }`.
template <class P>
concept freezing_policy = requires(const P p, const training_view& view) {
    { p(view) } -> freezing_answer;
};

/// A freezing policy that sets the learning rates of blocks.
template <class P>
concept sets_learning_rates = freezing_policy<P> && requires(const P p, const rate_view& now) {
    { p.learning_rate(now) } -> std::convertible_to<double>;
};

/// The scorer that a policy declares to be meant for; empty where it uses no scores, or does not say.
template <freezing_policy P>
constexpr std::string_view scorer_of(const P& policy) {
    if constexpr (requires { std::string_view(policy.scorer); })
        return policy.scorer;
    else
        return {};
}

/// Whether a policy declares that it thaws.
template <freezing_policy P>
constexpr bool may_thaw(const P& policy) {
    if constexpr (requires { bool(policy.thaws); })
        return policy.thaws;
    else
        return false;
}

/// What a policy freezes before the first step.
template <freezing_policy P>
frozen_blocks frozen_at_start(const P& policy, const training_view& view) {
    if constexpr (requires { frozen_blocks(policy.at_start(view)); })
        return policy.at_start(view);
    else
        return {};
}

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
        "frostline: a freezing policy must return how many leading learning blocks to freeze, a whole number "
        "and no share of them, or frozen_blocks");
    static_assert(
        !requires { requires std::is_member_function_pointer_v<decltype(&P::learning_rate)>; } ||
            sets_learning_rates<P> || !freezing_policy<P>,
        "frostline: the learning_rate of a freezing policy must be a const function of a rate_view, "
        "returning "
        "a double");
    static_assert(
        !requires { requires std::is_member_function_pointer_v<decltype(&P::at_start)>; } ||
            requires(const P p, const training_view& view) { frozen_blocks(p.at_start(view)); } ||
            !freezing_policy<P>,
        "frostline: the at_start of a freezing policy must be a const function of a training_view, returning "
        "how many leading learning blocks to freeze, or frozen_blocks");
    return true;
}

}  // namespace frostline
