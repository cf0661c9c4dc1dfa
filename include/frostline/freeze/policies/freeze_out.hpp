// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/core/errors.hpp"

#include <cmath>
#include <cstddef>
#include <numbers>

namespace frostline::inline FROSTLINE_ISA {

/// FreezeOut (Brock, Lim, Ritchie, Weston 2017, arXiv 1706.04983): every block anneals its own learning rate
/// along half a cosine wave that reaches zero at its own time t_i, and is frozen from then on.
///
/// Of B blocks, block i has t_i = first + (1 - first) i / (B - 1), in shares of the run, cubed if `cubed`;
/// its rate at time t is a_i (1 + cos(pi t / t_i)) / 2, with a_i the schedule's highest rate, divided by t_i
/// if `scaled`, so that all blocks have the same sum of rates. The schedule counts for nothing else. The
/// defaults are those that the paper recommends.
///
/// With decisions after each epoch a block freezes at the first one behind its t_i; its rate is zero before.
/// Throws argument_error where `first` is outside [0, 1].
struct freeze_out {
    double first = 0.8;  ///< when the first block freezes, before cubing
    bool cubed = true;
    bool scaled = true;

    std::size_t operator()(const training_view& view) const {
        check();
        std::size_t frozen = view.frozen;
        while (frozen < view.last_freezable && end_of(frozen, view.blocks) <= view.progress()) ++frozen;
        return frozen;
    }

    double learning_rate(const rate_view& now) const {
        check();
        const double end = end_of(now.block, now.blocks);
        const double time = static_cast<double>(now.step) / static_cast<double>(now.steps);
        if (time >= end) return 0;
        const double peak = scaled ? now.peak_rate / end : now.peak_rate;
        return peak * (1 + std::cos(std::numbers::pi * time / end)) / 2;
    }

private:
    void check() const {
        require<argument_error>(first >= 0 && first <= 1, "freeze_out freezes its first block at ", first,
                                " of the run, expected a share from 0 to 1");
    }
    double end_of(std::size_t block, std::size_t blocks) const {
        if (block + 1 >= blocks) return 1;
        const double end = first + (1 - first) * static_cast<double>(block) / static_cast<double>(blocks - 1);
        return cubed ? end * end * end : end;
    }
};

}  // namespace frostline
