// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/tensor.hpp"

#include <concepts>
#include <cstdint>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// A loss: how wrong the outputs of a network are for a batch, and in which direction. A lambda can be one.
///
/// Requirements on a type `L` for networks over `T` (float or double):
/// 1. `l(outputs, targets, gradient) -> double`, callable on a const `L`: the mean over the samples of the
/// batch.
///    `outputs` is (samples, height, width, channels) as the last layer left it: (samples, 1, 1, classes) in
///    a trainer and a learner, which count the samples that are classified right. `targets` holds one class a
///    sample. Sizes `gradient` like `outputs` and overwrites it with the gradient of the mean with respect to
///    `outputs`.
///
/// It throws argument_error for a target that it has no output for, and shape_error where outputs and targets
/// do not fit. Its result is a function of its arguments alone, to the bit, for any number of threads; it
/// allocates nothing after the first call of a given shape.
template <class L, class T>
concept loss = std::floating_point<T> &&
    requires(const L l, const tensor<T>& outputs, std::span<const std::int32_t> targets,
             tensor<T>& gradient) {
    { l(outputs, targets, gradient) } -> std::same_as<double>;
};

/// Stops compilation with a sentence that says what a loss needs.
template <class L, class T>
consteval bool explain_loss() {
    static_assert(
        loss<L, T>,
        "frostline: a loss must be const-callable with (outputs, targets, gradient), returning a double");
    return true;
}

}  // namespace frostline
