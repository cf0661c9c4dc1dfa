// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/freeze/predicates.hpp"
#include "frostline/freeze/thawing.hpp"

#include <cstddef>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// SimFreeze (Li et al. 2024, arXiv 2401.16694): a block freezes when its CKA similarity to the network that
/// fine-tuning began with has settled, that is, when it changes by less than `tolerance`, relatively, from
/// one decision to the next, `patience` times in a row. Everything thaws when the data change, which the
/// source detects from the outputs and this from a training loss `loss_rise` times its lowest. Meant for
/// linear_cka with reference=initial, whose score is 1 - CKA.
struct sim_freeze {
    static constexpr const char* scorer = "linear_cka:reference=initial";
    static constexpr bool thaws = true;

    double tolerance = 0.01;
    std::size_t patience = 1;
    double loss_rise = 1.5;

    frozen_blocks operator()(const training_view& view) const {
        const auto similarity = [](const training_view& seen, std::size_t block,
                                   std::size_t decision) -> std::optional<double> {
            const auto score = seen.scores[decision][block];
            return score ? std::optional(1 - *score) : std::nullopt;
        };
        const auto settled = when::patience(patience, when::plateau(tolerance, similarity));
        return thaw_on(when::loss_rises{loss_rise}, freeze_prefix(settled))(view);
    }
};

}  // namespace frostline
