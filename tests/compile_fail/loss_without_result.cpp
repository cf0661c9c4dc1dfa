// SPDX-License-Identifier: MIT
// expect: frostline: a loss must be const-callable with \(outputs, targets, gradient\), returning a double
#include "frostline/concepts/loss.hpp"

struct silent {
    void operator()(const frostline::tensor<float>&, std::span<const std::int32_t>,
                    frostline::tensor<float>&) const {}
};
static_assert(frostline::explain_loss<silent, float>());
