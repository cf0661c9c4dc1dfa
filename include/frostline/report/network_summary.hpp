// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/report/text_table.hpp"
#include "frostline/report/units.hpp"
#include "frostline/train/flop_counter.hpp"

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// What one block is and costs, for one sample.
struct block_summary {
    std::string layers;
    sample_shape output{};
    std::size_t parameters = 0;
    std::uint64_t forward_flops = 0;   ///< 2 a multiply-accumulate
    std::uint64_t backward_flops = 0;  ///< gradients of input and parameters
    std::size_t activation_bytes = 0;  ///< that training keeps: output, and what backward has to remember
    std::size_t cut_bytes = 0;         ///< of the output: what a feature store would hold behind the block
    double frozen_saves = 0;   ///< share of a step's training FLOPs, with this block and all before it frozen
    double dropped_saves = 0;  ///< the same with them dropped, the store filled

    std::uint64_t multiply_accumulates() const { return forward_flops / 2; }
};

/// Blocks from the input to the head; print_summary makes a table of them, summary_lines JSON.
template <class Network>
std::vector<block_summary> summary(const Network& network) {
    using T = typename Network::value_type;
    std::vector<block_summary> blocks;
    for (std::size_t index = 0; index < network.blocks(); ++index) {
        const auto& block = network.block(index);
        std::size_t frozen = index + 1;  // blocks without parameters freeze with the block before them
        while (frozen < network.blocks() && !network.block(frozen).learns()) ++frozen;
        const auto saved = [&](std::size_t dropped) {
            flop_counter counted(network);
            counted.add_step(1, 0, frozen, dropped);
            const auto spent = static_cast<double>(counted.forward() + counted.backward());
            const auto full = static_cast<double>(counted.forward_full() + counted.backward_full());
            return full == 0 ? 0.0 : 1 - spent / full;
        };
        const auto& flops = block.flops;
        // The first block has nobody to pass its input's gradient to.
        const std::uint64_t backward = (index == 0 ? 0 : flops.backward_input) + flops.backward_inner;
        blocks.push_back({.layers = block.layers,
                          .output = block.output,
                          .parameters = block.parameters,
                          .forward_flops = flops.forward,
                          .backward_flops = backward + flops.backward_parameters,
                          .activation_bytes = block.output.size() * sizeof(T) + block.remembered_bytes,
                          .cut_bytes = block.output.size() * sizeof(T),
                          .frozen_saves = saved(0),
                          .dropped_saves = saved(index + 1)});
    }
    return blocks;
}

/// Prints one line a block and the totals.
inline void print_summary(std::ostream& out, const std::vector<block_summary>& blocks) {
    text_table table;
    table.row({"layers", "block", "output", "parameters", "MACs", "forward", "backward", "activations",
               "at the cut", "frozen saves", "dropped saves"});
    block_summary total;
    for (std::size_t index = 0; index < blocks.size(); ++index) {
        const auto& block = blocks[index];
        // The head never freezes.
        const bool freezes = index + 1 < blocks.size();
        table.row({block.layers, std::to_string(index), sentence(block.output),
                   std::to_string(block.parameters), format_count(block.multiply_accumulates()),
                   format_flops(block.forward_flops), format_flops(block.backward_flops),
                   format_bytes(block.activation_bytes), format_bytes(block.cut_bytes),
                   freezes ? format_percent(block.frozen_saves, 1) : "-",
                   freezes ? format_percent(block.dropped_saves, 1) : "-"});
        total.parameters += block.parameters;
        total.forward_flops += block.forward_flops;
        total.backward_flops += block.backward_flops;
        total.activation_bytes += block.activation_bytes;
    }
    table.row({"total", std::to_string(blocks.size()), "", std::to_string(total.parameters),
               format_count(total.multiply_accumulates()), format_flops(total.forward_flops),
               format_flops(total.backward_flops), format_bytes(total.activation_bytes)});
    out << table
        << "For one sample. \"saves\": share of the FLOPs of a training step when this block and all "
           "before it are frozen, or dropped.\n";
}

}  // namespace frostline
