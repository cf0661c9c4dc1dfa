// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// What a scorer that looks at outputs compares, and on how many samples.
struct probe_options {
    std::size_t samples = 64;
    probe_reference reference{};

    operator observations() const { return {.probe_samples = samples, .reference = reference}; }
};

}  // namespace frostline
