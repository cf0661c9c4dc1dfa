// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/freezing_policy.hpp"

#include <cstddef>
#include <span>
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
            .backward_flops = static_cast<double>(block.flops.backward_input + block.flops.backward_inner +
                                                  block.flops.backward_parameters),
            .output_bytes = static_cast<double>(block.output.size() * sizeof(typename Network::value_type)),
            .backward_input_flops = static_cast<double>(block.flops.backward_input),
            .backward_inner_flops = static_cast<double>(block.flops.backward_inner)};
    }
    return costs;
}

/// The same by learning block: each carries the blocks without parameters behind it, the first also those
/// before it. @param learning_blocks their numbers in the network, ascending
inline std::vector<block_costs> costs_of_learning_blocks(std::span<const block_costs> blocks,
                                                         std::span<const std::size_t> learning_blocks) {
    std::vector<block_costs> costs(learning_blocks.size());
    if (costs.empty()) return costs;
    for (std::size_t block = 0, i = 0; block < blocks.size(); ++block) {
        if (i + 1 < costs.size() && learning_blocks[i + 1] <= block) ++i;
        costs[i].forward_flops += blocks[block].forward_flops;
        costs[i].backward_flops += blocks[block].backward_flops;
        costs[i].backward_input_flops += blocks[block].backward_input_flops;
        costs[i].backward_inner_flops += blocks[block].backward_inner_flops;
        costs[i].output_bytes = blocks[block].output_bytes;
    }
    return costs;
}

}  // namespace frostline
