// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// The sum of term(0), ..., term(count - 1) in double precision, on the calling thread. Interleaved partial
/// sums let the compiler use vector registers; their order is fixed, and so is the result.
template <class Term>
double sum_of(std::size_t count, const Term& term) {
    constexpr std::size_t lanes = 8;
    double partial[lanes] = {};
    std::size_t index = 0;
    for (; index + lanes <= count; index += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane)
            partial[lane] += static_cast<double>(term(index + lane));
    for (; index < count; ++index) partial[0] += static_cast<double>(term(index));
    return ((partial[0] + partial[1]) + (partial[2] + partial[3])) +
           ((partial[4] + partial[5]) + (partial[6] + partial[7]));
}

}  // namespace frostline
