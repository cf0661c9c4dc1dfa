// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/batch_reduction.hpp"
#include "frostline/core/isa.hpp"

#include <cstdint>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// Training uses and updates batch statistics and draws dropout masks; inference depends on the sample alone.
/// Frozen is for a block between blocks that learn: it computes what inference does and changes no
/// statistics, but remembers what a backward pass for the input's gradient needs.
enum class phase { training, inference, frozen };

/// Whether a backward pass follows.
constexpr bool remembers(phase how) { return how != phase::inference; }

/// Training or inference, whichever gives the outputs of this phase.
constexpr phase computes_as(phase how) { return how == phase::frozen ? phase::inference : how; }

/// Which gradients a backward pass has to compute.
enum class gradients { input, parameters, both };

constexpr bool wants_input(gradients wanted) { return wanted != gradients::parameters; }
constexpr bool wants_parameters(gradients wanted) { return wanted != gradients::input; }

/// What a forward pass is told besides its data; the keys make random layers a function of (seed, step,
/// sample).
struct pass {
    frostline::phase phase = phase::inference;
    std::uint64_t seed = 0;
    std::uint64_t step = 0;
    std::span<const std::uint64_t> samples{};  ///< ids of the rows of the batch; only random layers read them
    batch_reduction reduction{};  ///< where the batch is spread over processes and its statistics are not
};

/// Floating-point operations for one sample, 2 for each multiply-accumulate of convolutions and products; the
/// rest (biases, normalisation, pooling) is left out, as in published figures.
struct flop_counts {
    std::uint64_t forward = 0;
    std::uint64_t backward_input = 0;
    std::uint64_t backward_parameters = 0;
    std::uint64_t backward_inner =
        0;  ///< from layer to layer inside of it: taken whatever gradients are wanted

    flop_counts& operator+=(const flop_counts& other) {
        forward += other.forward;
        backward_input += other.backward_input;
        backward_parameters += other.backward_parameters;
        backward_inner += other.backward_inner;
        return *this;
    }
    friend flop_counts operator+(flop_counts left, const flop_counts& right) { return left += right; }
    bool operator==(const flop_counts&) const = default;
};

}  // namespace frostline
