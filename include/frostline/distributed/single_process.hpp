// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/communicator.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// The smallest communicator: this process alone. A sum over one process is what it was, so everything that
/// is done for the others compiles to nothing.
struct single_process {
    static constexpr std::size_t rank() { return 0; }
    static constexpr std::size_t size() { return 1; }
    template <class T>
    static constexpr void sum(std::span<T>) {}
    template <class T>
    static constexpr void start_sum(std::span<T>) {}
    static constexpr void progress() {}
    static constexpr void wait() {}
    static constexpr void broadcast(std::span<std::byte>) {}
    static constexpr std::uint64_t bytes() { return 0; }
};

static_assert(communicator<single_process>);

}  // namespace frostline
