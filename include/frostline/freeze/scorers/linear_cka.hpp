// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/sum.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"
#include "frostline/freeze/scorers/gram.hpp"
#include "frostline/freeze/scorers/probe_options.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// 1 - linear CKA between a block's outputs on the probe batch and those of the reference. CKA is
/// <K, L> / (|K| |L|) with K = X X^T and L = Y Y^T of the outputs X and Y, one row a sample, every feature
/// minus its mean over the samples. 0: the same up to rotation and scale; at most 1.
///
/// Kornblith et al. 2019 (arXiv 1905.00414); used for freezing by SimFreeze (Li et al. 2024, arXiv
/// 2401.16694).
class linear_cka {
public:
    explicit linear_cka(const probe_options& options = {}) : observes(options) {}

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) const {
        if (view.reference_outputs.empty()) return std::nullopt;
        const auto now = unit_gram(view.outputs, view.probe_samples);
        const auto then = unit_gram(view.reference_outputs, view.probe_samples);
        if (now.empty() || then.empty()) return std::nullopt;
        // Half the squared distance of K / |K| and L / |L|: 1 - CKA would cancel to nothing.
        const double squares =
            sum_of(now.size(), [&](std::size_t i) { return (now[i] - then[i]) * (now[i] - then[i]); });
        return finite_score(squares / 2);
    }

    observations observes;

private:
    // K / |K|, empty where all samples have the same outputs. Subtracting every feature's mean is subtracting
    // the means of the rows and columns of the Gram matrix.
    template <class T>
    static std::vector<double> unit_gram(std::span<const T> outputs, std::size_t samples) {
        auto found = gram(outputs, samples);
        const auto count = static_cast<double>(samples);
        const double largest = *std::max_element(found.begin(), found.end());
        std::vector<double> means(samples);
        for (std::size_t row = 0; row < samples; ++row)
            means[row] = sum_of(samples, [&](std::size_t i) { return found[row * samples + i]; }) / count;
        const double mean = sum_of(samples, [&](std::size_t i) { return means[i]; }) / count;
        for (std::size_t row = 0; row < samples; ++row)
            for (std::size_t i = 0; i < samples; ++i)
                found[row * samples + i] -= means[row] + means[i] - mean;
        const double length =
            std::sqrt(sum_of(found.size(), [&](std::size_t i) { return found[i] * found[i]; }));
        // What is left of equal rows is rounding.
        if (!(length > 1e-13 * count * largest)) return {};
        for (double& value : found) value /= length;
        return found;
    }
};

}  // namespace frostline
