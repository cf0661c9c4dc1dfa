// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/parameter.hpp"

#include <concepts>
#include <cstddef>
#include <optional>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// What the next update does to one block.
struct block_rate {
    double rate = 0;     ///< learning rate
    double decay = 0;    ///< weight decay, for the parameters that decay
    bool learns = true;  ///< false: frozen behind blocks that learn, its gradient is unspecified
};

/// An optimiser: turns gradients into new values, over the contiguous arenas of a network.
///
/// Requirements on a type `O` for the scalar type `T`:
/// 1. `o.attach(slices)`: told once, before the first step, where the parameters lie, in the order of the
/// blocks.
/// 2. `o.step(values, gradients, first_block, rates) -> std::optional<std::size_t>`: updates the parameters
/// of the
///    blocks from `first_block` on that learn, with `rates[block]`, and touches nothing of the others, its
///    own state included. Returns the first block with a NaN or infinite gradient; that block's values are
///    then unspecified.
/// 3. `o.reset(first_block, last_block)`: forgets the state (momentum) of these blocks, which thaw.
/// 4. `o.for_each_state(visit)`: visits (name, span of T), each laid out like the arenas, for checkpoints.
///
/// Nothing is allocated after `attach`; the result does not depend on how loops were cut.
template <class O, class T>
concept optimiser = requires(O o, std::span<const parameter_slice> slices, std::span<T> values,
                             std::span<const T> gradients, std::size_t block,
                             std::span<const block_rate> rates) {
    o.attach(slices);
    { o.step(values, gradients, block, rates) } -> std::same_as<std::optional<std::size_t>>;
    o.reset(block, block);
    o.for_each_state([](const char*, std::span<T>) {});
};

/// Stops compilation with one sentence for each requirement of `optimiser` that `O` does not meet.
template <class O, class T>
consteval bool explain_optimiser() {
    static_assert(
        requires(O o, std::span<const parameter_slice> slices) { o.attach(slices); },
        "frostline: an optimiser needs attach(slices)");
    static_assert(
        requires(O o, std::span<T> values, std::span<const T> gradients, std::size_t block,
                 std::span<const block_rate> rates) {
            { o.step(values, gradients, block, rates) } -> std::same_as<std::optional<std::size_t>>;
        },
        "frostline: an optimiser needs step(values, gradients, first_block, rates), returning "
        "std::optional<std::size_t>");
    static_assert(
        requires(O o, std::size_t block) { o.reset(block, block); },
        "frostline: an optimiser needs reset(first_block, last_block)");
    static_assert(
        requires(O o) { o.for_each_state([](const char*, std::span<T>) {}); },
        "frostline: an optimiser needs for_each_state(visitor)");
    return true;
}

}  // namespace frostline
