// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA {

/// Freezes as much as it takes to finish the run within a budget, as late as it can: the fewest leading
/// blocks f such that a linear rise from f to all freezable blocks, over the rest of the run, costs no more
/// than is left of the budget. Every decision reckons anew with what has been spent.
///
/// FLOPs are reckoned as if frozen blocks still ran forward. What dropping saves comes on top: if the policy
/// froze later for it, weights would depend on the store. With a budget of seconds, what dropping saves
/// counts, since the pace so far stands for the rest, and a run is no longer the same twice.
struct budget {
    double share = 0.7;  ///< of the forward and backward FLOPs of the run without freezing
    double seconds = 0;  ///< above 0: training time instead

    std::size_t operator()(const training_view& view) const {
        if (view.costs.empty() || view.spent.full_flops <= 0 || view.spent.seconds < 0) return view.frozen;
        double left = share * view.spent.full_flops - view.spent.flops;
        if (seconds > 0) {
            if (view.spent.seconds == 0) return view.frozen;
            left = (seconds - view.spent.seconds) * view.spent.flops / view.spent.seconds;
        }
        const double rest = (1 - view.progress()) * view.spent.full_flops / cost(view, 0);
        std::size_t frozen = view.frozen;
        while (frozen < view.last_freezable && rest * mean_cost_from(view, frozen) > left) ++frozen;
        return frozen;
    }

private:
    // Of one sample: no block in front of the frost line has a backward pass, and the first behind it has
    // nobody to pass its input's gradient to.
    static double cost(const training_view& view, std::size_t frozen) {
        double flops = -view.costs[frozen].backward_input_flops;
        for (std::size_t block = 0; block < view.costs.size(); ++block)
            flops +=
                view.costs[block].forward_flops + (block < frozen ? 0.0 : view.costs[block].backward_flops);
        return flops;
    }

    static double mean_cost_from(const training_view& view, std::size_t frozen) {
        double sum = 0;
        for (std::size_t level = frozen; level <= view.last_freezable; ++level) sum += cost(view, level);
        return sum / static_cast<double>(view.last_freezable - frozen + 1);
    }
};

}  // namespace frostline
