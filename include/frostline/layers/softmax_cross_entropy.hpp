// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/errors.hpp"
#include "frostline/core/tensor.hpp"
#include "frostline/kernels/softmax.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

struct softmax_cross_entropy_options {
    double label_smoothing = 0;  ///< share of each target that is spread evenly over all classes, in [0, 1]
};

/// Throws shape_error unless logits are (samples, 1, 1, classes) with one target each, and argument_error for
/// the first target outside [0, classes).
template <class T>
void require_targets(const char* caller, const tensor<T>& logits, std::span<const std::int32_t> targets) {
    const sample_shape shape = shape_of(logits);
    require<shape_error>(shape.height == 1 && shape.width == 1 && shape.channels > 0, caller,
                         ": logits of a sample must be 1x1xclasses, found ", shape);
    require<shape_error>(targets.size() == samples_of(logits), caller, ": expected one target for each of ",
                         samples_of(logits), " samples, found ", targets.size());
    for (std::size_t row = 0; row < targets.size(); ++row)
        require<argument_error>(targets[row] >= 0 && static_cast<std::size_t>(targets[row]) < shape.channels,
                                caller, ": target ", targets[row], " of sample ", row, " is outside [0, ",
                                shape.channels, ")");
}

/// The loss of classification: mean cross entropy between softmax(logits) and the targets, with label
/// smoothing as in PyTorch (Szegedy et al. 2016). Models `loss`.
template <class T>
class softmax_cross_entropy {
public:
    /// @throws argument_error for smoothing outside [0, 1]
    explicit softmax_cross_entropy(softmax_cross_entropy_options options = {}) : options_(options) {
        require<argument_error>(options.label_smoothing >= 0 && options.label_smoothing <= 1,
                                "softmax_cross_entropy: label smoothing must lie in [0, 1], found ",
                                options.label_smoothing);
    }

    /// Mean loss over the samples; `gradient` becomes that of the mean with respect to `logits`.
    /// @throws shape_error unless logits are (samples > 0, 1, 1, classes) with one target each
    /// @throws argument_error for a target outside [0, classes)
    double operator()(const tensor<T>& logits, std::span<const std::int32_t> targets,
                      tensor<T>& gradient) const {
        require_targets("softmax_cross_entropy", logits, targets);
        require<shape_error>(samples_of(logits) > 0,
                             "softmax_cross_entropy: a batch without samples has no mean");
        resize(gradient, samples_of(logits), shape_of(logits));
        return kernels::softmax_cross_entropy(samples_of(logits), shape_of(logits).channels, logits.data(),
                                              targets.data(), options_.label_smoothing, gradient.data());
    }

private:
    softmax_cross_entropy_options options_;
};

/// Samples whose largest logit is their target's; of equal logits the first counts, and NaN is never correct.
/// @throws as softmax_cross_entropy
template <class T>
std::size_t count_correct(const tensor<T>& logits, std::span<const std::int32_t> targets) {
    require_targets("count_correct", logits, targets);
    const std::size_t classes = shape_of(logits).channels;
    std::size_t correct = 0;
    for (std::size_t row = 0; row < targets.size(); ++row) {
        const T* in = logits.data() + row * classes;
        const auto target = static_cast<std::size_t>(targets[row]);
        bool best = in[target] == in[target];
        for (std::size_t c = 0; c < classes; ++c)
            best = best && (c < target ? in[c] < in[target] : in[c] <= in[target]);
        correct += best;
    }
    return correct;
}

}  // namespace frostline
