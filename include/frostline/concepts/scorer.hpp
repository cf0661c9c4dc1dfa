// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// What a scorer looks at; a run keeps and pays only for what its scorer observes.
struct observations {
    bool previous_weights = false;  ///< the weights at the last decision (one copy of the active weights)
};

/// What is known of one block at a decision point. Spans are views into the run, valid during the call.
template <class T>
struct block_view {
    std::size_t block = 0;       ///< index in the network
    std::size_t decision = 0;    ///< number of this decision, from 0
    std::span<const T> weights;  ///< all parameters of the block, padding (always zero) included
    std::span<const T>
        previous_weights;  ///< the same at the last decision (at the start of the run, before the first)
    double learning_rate_sum = 0;  ///< sum over the steps since then of the block's learning rate
    std::size_t steps = 0;         ///< number of steps since then
};

/// A scorer: how much a block still changes. Lower is more converged.
///
/// Requirements on a type `S` for the scalar type `T`:
/// 1. `s.observes`, an `observations`; a static constant where the scorer always observes the same.
/// 2. `s(view) -> std::optional<double>` for a `block_view<T>`; `std::nullopt` where there is no evidence
/// (yet), which
///    never freezes anything. Not NaN.
/// 3. `s.for_each_state(visit)`, optional: visits (name, std::vector<double>&) that a checkpoint has to keep.
///
/// Called at each decision, once for every block that has parameters and is not frozen, in the order of the
/// blocks. Copies share no state.
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
concept scorer = requires(S s, const block_view<T>& view) {
    { s.observes } -> std::convertible_to<observations>;
    { s(view) } -> std::convertible_to<std::optional<double>>;
};

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
    return true;
}

}  // namespace frostline
