// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/report/network_summary.hpp"
#include "frostline/report/record_lines.hpp"

#include <cstddef>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// One `block` line a block, as a record could hold them. FLOPs and bytes are those of one sample.
inline std::vector<record_line> summary_lines(const std::vector<block_summary>& blocks) {
    std::vector<record_line> lines;
    for (std::size_t index = 0; index < blocks.size(); ++index) {
        const auto& block = blocks[index];
        lines.push_back({{"schema", record_schema},
                         {"event", "block"},
                         {"block", index},
                         {"layers", block.layers},
                         {"output", {block.output.height, block.output.width, block.output.channels}},
                         {"parameters", block.parameters},
                         {"multiply_accumulates", block.multiply_accumulates()},
                         {"forward_flops", block.forward_flops},
                         {"backward_flops", block.backward_flops},
                         {"activation_bytes", block.activation_bytes},
                         {"cut_bytes", block.cut_bytes},
                         {"frozen_saves", block.frozen_saves},
                         {"dropped_saves", block.dropped_saves}});
    }
    return lines;
}

}  // namespace frostline
