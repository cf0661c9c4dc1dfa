// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/tensor.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
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

/// One place where a store keeps rows: what the plan reckons with.
struct store_tier {
    std::string name;
    std::size_t budget = 0;   ///< bytes
    bool read_ahead = false;  ///< whether prefetch reads while the network is busy
};

/// How fast one tier of a store takes rows and gives them back, in the bytes that they take there.
struct tier_costs {
    double write_bytes_per_second = 0;
    double read_bytes_per_second = 0;
};

/// A feature store: where the outputs of dropped blocks lie.
///
/// Requirements on a type `F` for the scalar type `T`:
/// 1. `f.put(keys, rows)`: keeps row i of `rows` under keys[i]; may forget any of them (a cache, never the
///    truth). A key that is held gets the new row, or none: the old one is never found again.
/// 2. `f.get(keys, rows, missed)`: writes the rows it holds, bit for bit as they were put, into the tensor
///    `rows`, which already has its shape; clears `missed` and fills it with the numbers of the keys that it
///    does not hold, ascending. The trainer computes those, and those alone, again.
/// 3. `f.prefetch(keys)`: a hint that these are wanted next; may do nothing.
/// 4. `f.clear()`: forgets all and gives the memory back.
/// 5. `f.bytes() -> std::size_t` held now, and `f.budget() -> std::size_t`, the most it may hold.
///
/// Optional:
/// 6. `f.forget(keys)`: gives up these rows, held or not, and their memory. Such a store may hold rows of
///    several cuts at a time, those of one cut being of one size: when the cut moves towards the output, what
///    is stored is advanced through the blocks between. Any other store is cleared when the cut moves.
/// 7. `f.tiers() -> std::vector<store_tier>`: the places where rows lie, in the order in which they fill up,
///    in place of one of budget() bytes. Then also `f.use_tiers(count)`, that new rows go to the leading
///    `count` of them alone, and `f.measure(shape) -> std::vector<tier_costs>`, called when nothing is held.
/// 8. `f.row_bytes(shape) -> std::size_t`: what a row of this shape takes, in place of its size.
/// 9. `f.problem() -> std::string`: one sentence on why rows were lost since the last clear() that should be
///    there; empty: none were.
/// 10. `f.holds(key) -> bool`, const: whether the row is held. A run that is resumed puts those rows again
///     before it goes on; where a store does not tell, it fills as training goes, and that is counted. An
///     online learner gives pixels back for features only where the store tells.
/// 11. `f.grows() -> bool`, const: whether rows can be advanced, for a type that has `forget` and decides at
///     run time.
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

/// Whether what the store holds can be advanced to a later cut.
template <class F>
bool grows(const F& store) {
    if constexpr (requires { bool{store.grows()}; })
        return store.grows();
    else
        return requires(F f, std::span<const feature_key> keys) { f.forget(keys); };
}

/// The tiers of a store; one where it does not tell.
template <class F>
std::vector<store_tier> tiers_of(const F& store) {
    if constexpr (requires { store.tiers(); })
        return store.tiers();
    else
        return {{.name = "the store", .budget = store.budget()}};
}

/// Bytes that a store takes for a row of this shape.
template <class T, class F>
std::size_t row_bytes_of(const F& store, const sample_shape& shape) {
    if constexpr (requires { store.row_bytes(shape); })
        return store.row_bytes(shape);
    else
        return shape.size() * sizeof(T);
}

/// Why a store lost rows; empty where it lost none, or does not tell.
template <class F>
std::string problem_of(const F& store) {
    if constexpr (requires { std::string(store.problem()); })
        return store.problem();
    else
        return {};
}

/// Whether a store tells that it holds this row.
template <class F>
bool holds(const F& store, const feature_key& key) {
    if constexpr (requires { bool{store.holds(key)}; })
        return store.holds(key);
    else
        return false;
}

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
