// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// Only the head learns, from the first step on: trained weights as a fixed extractor of features. With a
/// feature store every other block runs once for each sample.
struct head_only {
    std::size_t operator()(const training_view& view) const { return view.last_freezable; }
    frozen_blocks at_start(const training_view& view) const { return view.last_freezable; }
};

}  // namespace frostline
