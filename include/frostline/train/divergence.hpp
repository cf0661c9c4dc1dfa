// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/all_finite.hpp"
#include "frostline/core/errors.hpp"

#include <cstddef>
#include <string>

namespace frostline::inline FROSTLINE_ISA {

/// @param what  is NaN or infinite @throws divergence_error
[[noreturn]] inline void fail_as_diverged(const std::string& what, std::size_t step, double loss,
                                          double rate) {
    throw divergence_error(sentence("training diverged: ", what, " is NaN or infinite at step ", step,
                                    " with learning rate ", rate, " (loss ", loss,
                                    "); a lower rate or a warm-up may help"));
}

/// For the end of a run, after the last step, whose update no gradient is behind to tell of.
/// @throws divergence_error unless the loss and all weights are finite
template <class Network>
void require_finite(const Network& network, std::size_t step, double loss, double rate) {
    if (!all_finite(&loss, 1)) fail_as_diverged("the loss", step, loss, rate);
    for (std::size_t block = 0; block < network.blocks(); ++block) {
        const auto& part = network.block(block);
        if (!all_finite(network.arenas().values().data() + part.first_value,
                        part.last_value - part.first_value))
            fail_as_diverged(sentence("after its update a weight of block ", block), step, loss, rate);
    }
}

}  // namespace frostline
