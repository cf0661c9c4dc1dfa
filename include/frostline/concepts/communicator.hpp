// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// A communicator: the processes that train one network together, seen from one of them.
///
/// Requirements on a type `C`, with `T` = float and double:
/// 1. `c.rank() -> std::size_t`, const, in [0, c.size()), and `c.size() -> std::size_t`, const. Both never
/// change.
/// 2. `c.sum(values)` for a `std::span<T>`: replaces each element by its sum over all processes.
/// 3. `c.start_sum(values)`: begins the same and may return before it is done; until wait() the elements are
///    neither read nor written by the caller.
/// 4. `c.progress()`: lets what was started go on; may do nothing.
/// 5. `c.wait()`: returns when all that was started is done.
/// 6. `c.broadcast(bytes)` for a `std::span<std::byte>`: overwrites them by those of rank 0.
/// 7. `c.bytes() -> std::uint64_t`, const: of all arrays that this process handed to 2, 3 and 6, in total.
///
/// All processes call 2, 3 and 6 in the same order and with arrays of the same sizes; 2 and 6 may come
/// between 3 and 5. Every process gets the same bits of a sum, and the same numbers in as many processes give
/// the same bits again. One thread at a time calls.
///
/// A process that ends early must end the others: nobody else would wake them up. That is a matter of the
/// communicator and of the program, not of this contract. The smallest model is single_process.
template <class C>
concept communicator = requires(C c, const C constant, std::span<float> floats, std::span<double> doubles,
                                std::span<std::byte> bytes) {
    { constant.rank() } -> std::same_as<std::size_t>;
    { constant.size() } -> std::same_as<std::size_t>;
    c.sum(floats);
    c.sum(doubles);
    c.start_sum(floats);
    c.start_sum(doubles);
    c.progress();
    c.wait();
    c.broadcast(bytes);
    { constant.bytes() } -> std::same_as<std::uint64_t>;
};

/// Stops compilation with one sentence for each requirement of `communicator` that `C` does not meet.
template <class C>
consteval bool explain_communicator() {
    static_assert(
        requires(const C c) {
            { c.rank() } -> std::same_as<std::size_t>;
            { c.size() } -> std::same_as<std::size_t>;
        },
        "frostline: a communicator needs rank() const and size() const, returning std::size_t");
    static_assert(
        requires(C c, std::span<float> floats, std::span<double> doubles) {
            c.sum(floats);
            c.sum(doubles);
        },
        "frostline: a communicator needs sum(values), for std::span<float> and std::span<double>");
    static_assert(
        requires(C c, std::span<float> floats, std::span<double> doubles) {
            c.start_sum(floats);
            c.start_sum(doubles);
        },
        "frostline: a communicator needs start_sum(values), for std::span<float> and std::span<double>");
    static_assert(
        requires(C c) {
            c.progress();
            c.wait();
        },
        "frostline: a communicator needs progress() and wait()");
    static_assert(
        requires(C c, std::span<std::byte> bytes) { c.broadcast(bytes); },
        "frostline: a communicator needs broadcast(bytes), for std::span<std::byte>");
    static_assert(
        requires(const C c) {
            { c.bytes() } -> std::same_as<std::uint64_t>;
        },
        "frostline: a communicator needs bytes() const, returning std::uint64_t");
    return true;
}

}  // namespace frostline
