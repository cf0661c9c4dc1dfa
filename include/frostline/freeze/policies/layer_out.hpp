// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/random.hpp"

#include <cstddef>
#include <cstdint>

namespace frostline::inline FROSTLINE_ISA {

/// LayerOut (Goutam, Balasubramanian, Gera, Sarma 2020, SN Computer Science 1): after a warm-up, a random set
/// of blocks is frozen in each epoch and thaws after it. A block's probability to freeze falls linearly from
/// `first` at the input to `last` in front of the head, as in the source's "early freeze" (its "deep freeze"
/// rises: exchange them). The head always learns.
///
/// Blocks behind one that learns spare their weight gradients and updates only, and what may thaw after an
/// epoch is not worth storing: use it with no_feature_store.
/// Throws argument_error where a probability is outside [0, 1].
struct layer_out {
    static constexpr bool thaws = true;

    double first = 0.9;
    double last = 0.1;
    double warm_up = 0.07;  ///< share of the run in which nothing freezes; the source's 20 epochs of 300
    std::uint64_t seed = 0;

    frozen_blocks operator()(const training_view& view) const {
        for (const double probability : {first, last})
            require<argument_error>(probability >= 0 && probability <= 1,
                                    "layer_out freezes with probability ", probability,
                                    ", expected one from 0 to 1");
        frozen_blocks frozen;
        if (view.progress() < warm_up - 1e-9) return frozen;
        const random_stream draws(seed, purpose::policy, view.epoch);
        for (std::size_t block = 0; block < view.last_freezable; ++block) {
            const double depth = view.last_freezable < 2 ? 0
                                                         : static_cast<double>(block) /
                                                               static_cast<double>(view.last_freezable - 1);
            if (draws.uniform(block) < first + (last - first) * depth) frozen.insert(block);
        }
        return frozen;
    }
};

}  // namespace frostline
