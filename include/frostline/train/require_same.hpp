// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/communicator.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/features/checksum.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace frostline::inline FROSTLINE_ISA {

/// Requires the same bytes in all processes, by their checksum. All of them have to ask.
/// @param what  they are, in the plural: "the scores after step 7"
/// @throws process_error in all of them otherwise
template <communicator Communicator>
void require_same(Communicator& processes, std::span<const std::byte> bytes, std::string_view what) {
    if (processes.size() == 1) return;
    const std::uint64_t here = checksum_of(bytes.data(), bytes.size());
    std::uint64_t first = here;
    processes.broadcast(std::as_writable_bytes(std::span(&first, 1)));
    double others = here == first ? 0 : 1;
    processes.sum(std::span(&others, 1));
    require<process_error>(others == 0, what, " differ between the processes of the run: in ", others, " of ",
                           processes.size(), " they are not those of the first");
}

}  // namespace frostline
