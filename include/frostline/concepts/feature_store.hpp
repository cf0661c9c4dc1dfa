// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/tensor.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// Names the features of one sample: which sample, which augmented view of it, behind which block, and
/// computed with which state of the blocks before the cut.
struct feature_key {
    std::uint64_t sample = 0;
    std::uint32_t view = 0;
    std::uint32_t cut = 0;  ///< features are the output of block cut - 1
    std::uint64_t weight_version = 0;

    bool operator==(const feature_key&) const = default;
};

/// A feature store: where the outputs of dropped blocks lie.
///
/// Requirements on a type `F` for the scalar type `T`:
/// 1. `f.put(keys, rows)`: keeps row i of `rows` under keys[i]; may forget any of them (a cache, never the
/// truth).
/// 2. `f.get(keys, rows, missed)`: writes the rows it holds, bit for bit as they were put, into the tensor
/// `rows`,
///    which already has its shape; clears `missed` and fills it with the numbers of the keys that it does not
///    hold. The trainer computes those, and those alone, again.
/// 3. `f.prefetch(keys)`: a hint that these are wanted next; may do nothing.
/// 4. `f.clear()`: forgets all and gives the memory back.
/// 5. `f.bytes() -> std::size_t` held now, and `f.budget() -> std::size_t`, the most it may hold.
///
/// One thread at a time. In a steady state `get` allocates nothing. The smallest model is no_feature_store,
/// which misses everything.
template <class F, class T>
concept feature_store = requires(F f, const F c, std::span<const feature_key> keys, const tensor<T>& rows,
                                 tensor<T>& out, std::vector<std::size_t>& missed) {
    f.put(keys, rows);
    f.get(keys, out, missed);
    f.prefetch(keys);
    f.clear();
    { c.bytes() } -> std::same_as<std::size_t>;
    { c.budget() } -> std::same_as<std::size_t>;
};

/// Stops compilation with one sentence for each requirement of `feature_store` that `F` does not meet.
template <class F, class T>
consteval bool explain_feature_store() {
    static_assert(
        requires(F f, std::span<const feature_key> keys, const tensor<T>& rows) { f.put(keys, rows); },
        "frostline: a feature store needs put(keys, rows)");
    static_assert(
        requires(F f, std::span<const feature_key> keys, tensor<T> & rows,
                 std::vector<std::size_t> & missed) { f.get(keys, rows, missed); },
        "frostline: a feature store needs get(keys, rows, missed)");
    static_assert(
        requires(F f, std::span<const feature_key> keys) { f.prefetch(keys); },
        "frostline: a feature store needs prefetch(keys)");
    static_assert(
        requires(F f) { f.clear(); }, "frostline: a feature store needs clear()");
    static_assert(
        requires(const F f) {
            { f.bytes() } -> std::same_as<std::size_t>;
        },
        "frostline: a feature store needs bytes() const, returning std::size_t");
    static_assert(
        requires(const F f) {
            { f.budget() } -> std::same_as<std::size_t>;
        },
        "frostline: a feature store needs budget() const, returning std::size_t");
    return true;
}

}  // namespace frostline
