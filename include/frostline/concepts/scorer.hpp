// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// What the outputs on the probe batch are compared with: those of the same network some decisions ago (the
/// start of the run counts as a decision), at the start of the run, or of a snapshot that the user gives to
/// the trainer.
struct probe_reference {
    enum class kind { earlier, initial, snapshot };

    kind of = kind::earlier;
    std::size_t decisions = 1;  ///< how long ago, where earlier

    static constexpr probe_reference decisions_ago(std::size_t number) { return {kind::earlier, number}; }
    static constexpr probe_reference initial() { return {kind::initial}; }
    static constexpr probe_reference snapshot() { return {kind::snapshot}; }
};

/// What a scorer looks at; a run keeps and pays only for what its scorer observes. A copy is one of the
/// weights of the whole network.
struct observations {
    bool previous_weights = false;  ///< weights at the last decision: one copy
    bool initial_weights = false;   ///< weights at the start of the run: one copy
    /// Lengths of the steps, of every n-th one; 0: of none. One copy; an observed step reads the weights
    /// twice more and writes them once.
    std::size_t path_every = 0;
    bool gradient_sum = false;   ///< gradients summed since the last decision: one copy, one pass a step
    bool gradient_pair = false;  ///< gradients of the last two steps: one copy, one pass a decision
    /// Outputs of every block on so many training samples, always the same ones: at each decision an
    /// inference pass, and memory for the outputs now and for those of the reference, which is
    /// `reference.decisions` times as much where it is earlier.
    std::size_t probe_samples = 0;
    probe_reference reference{};
};

/// What is known of one block at a decision point. Spans are views into the run, valid during the call; what
/// the scorer does not observe, or what is not there yet, is empty or zero.
template <class T>
struct block_view {
    std::size_t block = 0;         ///< index in the network
    std::size_t decision = 0;      ///< number of this decision, from 0
    std::span<const T> weights{};  ///< all parameters of the block, padding (always zero) included
    std::span<const T>
        previous_weights{};  ///< the same at the last decision (at the start of the run, before the first)
    double learning_rate_sum = 0;  ///< sum over the steps since then of the block's learning rate
    std::size_t steps = 0;         ///< number of steps since then
    std::size_t parameters = 0;    ///< number of weights, padding left out
    std::span<const T> initial_weights{};
    /// Sum of |w(s + 1) - w(s)| over the steps since the last decision, as far as it is known: the mean of
    /// the observed steps times the number of all.
    double path_length = 0;
    std::span<const T> gradient_sum{};       ///< over the steps since the last decision
    std::span<const T> gradient{};           ///< of the last step
    std::span<const T> previous_gradient{};  ///< of the step before it
    std::size_t probe_samples = 0;           ///< rows of the outputs
    std::size_t channels = 0;                ///< of the outputs, which vary fastest
    std::span<const T> outputs{};            ///< on the probe batch, row-major
    std::span<const T> reference_outputs{};  ///< of the reference
};

/// A scorer: how much a block still changes. Lower is more converged.
///
/// Requirements on a type `S` for the scalar type `T`:
/// 1. `s.observes`, an `observations`; a static constant where the scorer always observes the same.
/// 2. `s(view) -> std::optional<double>` for a `block_view<T>`; `std::nullopt` where there is no evidence
///    yet, which never freezes anything. Not NaN, whatever the weights.
/// 3. `s.for_each_state(visit)`, for scorers that keep state from one decision to the next (see
///    block_memory): visits every (name, std::vector<double>&) that a checkpoint has to keep. A scorer
///    without it has to be callable when const, or runs with it are refused checkpoints.
/// 4. Copies: each run asks a copy of the scorer that it was given.
///
/// Called at each decision, once for every block that has parameters and is not frozen, in the order of the
/// blocks. The score of a block is a function of what was shown of this block in this run: copies share no
/// state, and neither do blocks. A decision with the number 0 starts a new run, without a past.
/// `check_scorer` in testing/scorer_check.hpp tests all of this on a scorer of one's own.
///
/// The smallest model, which has never any evidence:
/// @code
/// struct no_scorer {
///     static constexpr observations observes{};
///     template <class T>
///     std::optional<double> operator()(const block_view<T>&) const { return std::nullopt; }
/// };
/// @endcode
template <class S, class T>
concept scorer = std::copy_constructible<S> && requires(S s, const block_view<T>& view) {
    { s.observes } -> std::convertible_to<observations>;
    { s(view) } -> std::convertible_to<std::optional<double>>;
};

/// Visits the state of a scorer, for checkpoints; one that is callable when const needs none.
/// @throws argument_error when there may be state that the scorer does not show
template <class T, scorer<T> S, class Visitor>
void for_each_state_of(S& of, const Visitor& visit) {
    if constexpr (requires { of.for_each_state(visit); })
        of.for_each_state(visit);
    else
        require<argument_error>(
            requires(const S& unchanging, const block_view<T>& view) { unchanging(view); },
            "a checkpoint cannot keep the state of the scorer: expected a member for_each_state(visit), or a "
            "scorer that is callable when const, and so has none");
}

/// Stops compilation with one sentence for each requirement of `scorer` that `S` does not meet.
template <class S, class T>
consteval bool explain_scorer() {
    static_assert(
        requires(S s) {
            { s.observes } -> std::convertible_to<observations>;
        },
        "frostline: a scorer needs a member observes of type observations");
    static_assert(
        requires(S s, const block_view<T>& view) {
            { s(view) } -> std::convertible_to<std::optional<double>>;
        },
        "frostline: a scorer must be callable with a block_view, returning std::optional<double>");
    static_assert(std::copy_constructible<S>,
                  "frostline: a scorer must be copyable: each run asks a copy of the one that it was given");
    return true;
}

}  // namespace frostline
