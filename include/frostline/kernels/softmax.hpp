// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/parallel.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace frostline::inline FROSTLINE_ISA::kernels {

/// Mean over `rows` of the cross entropy between softmax(logits) and the targets, each spread by label
/// smoothing to (1 - smoothing) * one_hot + smoothing / classes (as PyTorch), and its gradient. Needs rows >
/// 0 and targets in [0, classes). Computed in double. `gradient` may be `logits`.
template <class T>
double softmax_cross_entropy(std::size_t rows, std::size_t classes, const T* logits,
                             const std::int32_t* targets, double smoothing, T* gradient) {
    constexpr std::size_t parts =
        64;  // always: the order of the sum must not depend on the number of threads
    const std::size_t part_rows = (rows + parts - 1) / parts;
    const double floor = smoothing / static_cast<double>(classes), count = static_cast<double>(rows);
    std::array<double, parts> losses{};
    parallel_ranges(parts, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t part = begin; part < end; ++part)
            for (std::size_t row = part * part_rows; row < std::min((part + 1) * part_rows, rows); ++row) {
                const T* in = logits + row * classes;
                T* out = gradient + row * classes;
                const auto target = static_cast<std::size_t>(targets[row]);
                const auto largest = static_cast<double>(*std::max_element(in, in + classes));
                // Without smoothing only the target's logit counts: others may be -infinity.
                double sum_of_powers = 0, sum_of_shifted = 0;
                for (std::size_t c = 0; c < classes; ++c) {
                    const double shifted = static_cast<double>(in[c]) - largest;
                    sum_of_powers += std::exp(shifted);
                    if (floor > 0) sum_of_shifted += shifted;
                }
                const double logarithm = std::log(sum_of_powers);
                losses[part] += logarithm - (1 - smoothing) * (static_cast<double>(in[target]) - largest) -
                                floor * sum_of_shifted;
                for (std::size_t c = 0; c < classes; ++c) {
                    const double probability = std::exp(static_cast<double>(in[c]) - largest - logarithm);
                    const double wanted = floor + (c == target ? 1 - smoothing : 0);
                    out[c] = static_cast<T>((probability - wanted) / count);
                }
            }
    });
    double total = 0;
    for (const double loss : losses) total += loss;
    return total / count;
}

}  // namespace frostline::kernels
