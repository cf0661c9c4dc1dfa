// SPDX-License-Identifier: MIT
// expect: frostline: an optimiser needs step\(values, gradients, first_block, rates\), returning
// expect: frostline: an optimiser needs reset\(first_block, last_block\)
#include "frostline/concepts/optimiser.hpp"

struct never_fails {
    void attach(std::span<const frostline::parameter_slice>) {}
    void step(std::span<float>, std::span<const float>, std::size_t, std::span<const frostline::block_rate>) {}
    template <class Visitor>
    void for_each_state(const Visitor&) {}
};
static_assert(frostline::explain_optimiser<never_fails, float>());
