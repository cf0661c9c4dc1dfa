// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/sum.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"
#include "frostline/freeze/scorers/probe_options.hpp"

#include <cmath>
#include <cstddef>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// The relative change |y - y'| / |y'| of a block's outputs y on the probe batch against those of the
/// reference, y'. The plain measure with which linear_cka and svcca can be compared: it sees rotations of the
/// features that the blocks behind would undo.
class activation_change {
public:
    explicit activation_change(const probe_options& options = {}) : observes(options) {}

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) const {
        const auto& before = view.reference_outputs;
        const double squares = sum_of(before.size(), [&](std::size_t i) {
            const double moved = static_cast<double>(view.outputs[i]) - static_cast<double>(before[i]);
            return moved * moved;
        });
        const double length = sum_of(before.size(), [&](std::size_t i) {
            return static_cast<double>(before[i]) * static_cast<double>(before[i]);
        });
        return finite_score(std::sqrt(squares / length));
    }

    observations observes;
};

}  // namespace frostline
