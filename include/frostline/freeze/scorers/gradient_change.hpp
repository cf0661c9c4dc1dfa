// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/sum.hpp"
#include "frostline/freeze/block_memory.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"

#include <cmath>
#include <cstddef>
#include <optional>

namespace frostline::inline FROSTLINE_ISA {

/// The relative change | n' - n | / n' of the size n = |sum of g|_1 / steps of a block's gradients g, summed
/// over the steps between two decisions; n' is that of the interval before, so there is no score before the
/// second.
///
/// AutoFreeze (Liu, Agarwal, Venkataraman 2021, arXiv 2102.01386). Its intervals are equally long, and
/// dividing by their steps changes nothing then.
class gradient_change {
public:
    static constexpr observations observes{.gradient_sum = true};

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) {
        if (view.steps == 0) return std::nullopt;
        const auto [values, fresh] = memory_.at(view, 1);
        const double before = values[0];
        values[0] =
            sum_of(view.gradient_sum.size(),
                   [&](std::size_t i) { return std::abs(static_cast<double>(view.gradient_sum[i])); }) /
            static_cast<double>(view.steps);
        return fresh ? std::nullopt : finite_score(std::abs(before - values[0]) / before);
    }

    template <class Visitor>
    void for_each_state(const Visitor& visit) {
        memory_.for_each_state(visit);
    }

private:
    block_memory memory_;
};

}  // namespace frostline
