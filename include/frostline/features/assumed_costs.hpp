// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"
#include "frostline/concepts/plan_costs.hpp"
#include "frostline/core/errors.hpp"

#include <cstddef>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// Costs of a machine that nobody measured: two cores with AVX-512 convolve at 1.5e11 to 4e11 operations a
/// second.
inline plan_costs assumed_costs(std::span<const block_costs> blocks, std::size_t tiers,
                                double flops_per_second = 2e11, double store_bytes_per_second = 4e9) {
    plan_costs costs;
    for (const auto& block : blocks) costs.block_seconds.push_back(block.forward_flops / flops_per_second);
    costs.tiers.assign(tiers, {store_bytes_per_second, store_bytes_per_second});
    return costs;
}

/// @throws argument_error unless there is a time of at least 0 for each block and a positive rate for each
/// tier
inline void check(const plan_costs& costs, std::size_t blocks, std::size_t tiers) {
    require<argument_error>(costs.block_seconds.size() == blocks && costs.tiers.size() == tiers,
                            "the plan's costs are those of ", costs.block_seconds.size(), " blocks and ",
                            costs.tiers.size(), " tiers of a store, expected ", blocks, " blocks and ", tiers,
                            " tiers");
    for (const double seconds : costs.block_seconds)
        require<argument_error>(seconds >= 0, "a block of the plan's costs takes ", seconds,
                                " s, expected at least 0");
    for (const auto& tier : costs.tiers)
        require<argument_error>(tier.write_bytes_per_second > 0 && tier.read_bytes_per_second > 0,
                                "a tier of the plan's costs writes ", tier.write_bytes_per_second,
                                " and reads ", tier.read_bytes_per_second,
                                " bytes a second, expected positive rates");
}

}  // namespace frostline
