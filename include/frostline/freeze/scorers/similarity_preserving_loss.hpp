// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/sum.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"
#include "frostline/freeze/scorers/gram.hpp"
#include "frostline/freeze/scorers/probe_options.hpp"

#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// How differently a block and its reference see which samples are alike: |G - G'|_F^2 / n^2 over the n
/// samples of the probe batch, with G = Y Y^T of the block's outputs Y (one row a sample), each row of it
/// divided by its length, and G' the same of the reference.
///
/// The similarity-preserving loss of Tung and Mori (2019, arXiv 1907.09682), and the plasticity of Egeria
/// (Wang et al. 2023, arXiv 2201.06227), whose reference is a quantised snapshot that is renewed now and
/// then.
class similarity_preserving_loss {
public:
    explicit similarity_preserving_loss(const probe_options& options = {}) : observes(options) {}

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) const {
        if (view.reference_outputs.empty()) return std::nullopt;
        const std::size_t samples = view.probe_samples;
        const auto now = similarities(view.outputs, samples),
                   then = similarities(view.reference_outputs, samples);
        const double squares =
            sum_of(now.size(), [&](std::size_t i) { return (now[i] - then[i]) * (now[i] - then[i]); });
        return finite_score(squares / static_cast<double>(samples * samples));
    }

    observations observes;

private:
    template <class T>
    static std::vector<double> similarities(std::span<const T> outputs, std::size_t samples) {
        auto found = gram(outputs, samples);
        for (std::size_t row = 0; row < samples; ++row) {
            double* const values = found.data() + row * samples;
            const double length =
                std::sqrt(sum_of(samples, [&](std::size_t i) { return values[i] * values[i]; }));
            // A sample with no output is like no other.
            for (std::size_t i = 0; i < samples; ++i) values[i] = length == 0 ? 0 : values[i] / length;
        }
        return found;
    }
};

}  // namespace frostline
