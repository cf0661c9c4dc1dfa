// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/freeze/fixed_share.hpp"

#include <cmath>

namespace frostline::inline FROSTLINE_ISA {

/// A fixed schedule without scores: after each epoch from `start` on, the share `alpha` of the freezable
/// blocks that are left freezes, so that of L blocks L (1 - (1 - alpha)^T) are frozen after T of these
/// epochs, rounded down. PipeTransformer (He et al. 2021, arXiv 2102.03161) freezes at most so many; its
/// second bound, the active block with the smallest gradient, is left out here. `start` and the default of
/// `alpha` are ours.
struct geometric_schedule {
    double alpha = 1.0 / 3;
    double start = 0.2;  ///< share of the run

    /// @throws argument_error for an alpha outside [0, 1]
    std::size_t operator()(const training_view& view) const {
        freeze_share(view, alpha);  // powers of a wrong one may be shares
        const double epochs = (view.progress() - start) * static_cast<double>(view.epochs);
        return epochs <= 0 ? view.frozen : freeze_share(view, 1 - std::pow(1 - alpha, epochs));
    }

    /// Freezes nothing, but refuses at once what would be refused later. @throws argument_error as above
    frozen_blocks at_start(const training_view& view) const {
        freeze_share(view, alpha);
        return {};
    }
};

}  // namespace frostline
