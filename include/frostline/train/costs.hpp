// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

#include <cstddef>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// The costs of every block of a network, for one sample.
template <class Network>
std::vector<block_costs> costs_of_blocks(const Network& network) {
    std::vector<block_costs> costs(network.blocks());
    for (std::size_t index = 0; index < costs.size(); ++index) {
        const auto& block = network.block(index);
        costs[index] = {
            .forward_flops = static_cast<double>(block.flops.forward),
            .backward_flops =
                static_cast<double>(block.flops.backward_input + block.flops.backward_parameters),
            .output_bytes = static_cast<double>(block.output.size() * sizeof(typename Network::value_type)),
            .backward_input_flops = static_cast<double>(block.flops.backward_input)};
    }
    return costs;
}

}  // namespace frostline
