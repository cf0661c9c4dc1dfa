// SPDX-License-Identifier: MIT
// Views with hand-made numbers, for the tests of scorers.
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "support/golden.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace scorer_views {

using frostline::block_view;

using doubles = std::vector<double>;

/// The score after a step from `before` to `now`.
template <class Scorer>
std::optional<double> score_of_step(Scorer&& scorer, const doubles& before, const doubles& now,
                                    std::size_t decision = 0) {
    return scorer(block_view<double>{.decision = decision,
                                     .weights = now,
                                     .previous_weights = before,
                                     .learning_rate_sum = 0.5,
                                     .steps = 1,
                                     .parameters = now.size()});
}

/// The score of gradients that sum up to `sum`.
template <class Scorer>
std::optional<double> score_of_gradients(Scorer&& scorer, const doubles& sum, std::size_t steps,
                                         std::size_t decision, std::size_t block = 0) {
    return scorer(block_view<double>{
        .block = block, .decision = decision, .steps = steps, .parameters = sum.size(), .gradient_sum = sum});
}

/// The score of outputs, one row a sample.
template <class Scorer, class T>
std::optional<double> score_of_outputs(const Scorer& scorer, const std::vector<T>& now,
                                       const std::vector<T>& reference, std::size_t samples,
                                       std::size_t channels) {
    return scorer(block_view<T>{.steps = 1,
                                .probe_samples = samples,
                                .channels = channels,
                                .outputs = now,
                                .reference_outputs = reference});
}

/// Values of the generator in tests/golden/README.md.
template <class T = double>
std::vector<T> generated(const std::string& name, std::size_t size, double bound = 1, double offset = 0) {
    std::vector<T> values(size);
    for (std::size_t i = 0; i < size; ++i)
        values[i] = static_cast<T>(golden::generate(name, i, bound, offset));
    return values;
}

/// Calls check(score, NumPy's value under `name`) for every state of the outputs in the golden file, whose
/// reference and noise are generated.
template <class Scorer, class Check>
void for_each_golden_score(const Scorer& scorer, const char* name, const Check& check) {
    const auto file = golden::load("scorers");
    const auto& outputs = file.at("outputs");
    const auto samples = outputs.at("samples").get<std::size_t>();
    const auto size = samples * outputs.at("features").get<std::size_t>();
    const auto reference = generated("reference", size, 1, 0.3);
    for (std::size_t state = 0; state < outputs.at("noise").size(); ++state) {
        auto now = generated("noise." + std::to_string(state), size, outputs.at("noise")[state]);
        for (std::size_t i = 0; i < size; ++i) now[i] += reference[i];
        const auto channels = outputs.at("channels").get<std::size_t>();
        check(score_of_outputs(scorer, now, reference, samples, channels),
              outputs.at(name)[state].get<double>());
    }
}

/// Rows of `channels` values, each turned by the same rotation in every plane of neighbouring channels, and
/// scaled.
inline doubles turned(const doubles& rows, std::size_t channels, double angle, double scale) {
    doubles result = rows;
    for (std::size_t row = 0; row < rows.size() / channels; ++row) {
        double* const values = result.data() + row * channels;
        for (std::size_t i = 0; i + 1 < channels; ++i) {
            const double x = values[i], y = values[i + 1];
            values[i] = std::cos(angle) * x - std::sin(angle) * y;
            values[i + 1] = std::sin(angle) * x + std::cos(angle) * y;
        }
        for (std::size_t i = 0; i < channels; ++i) values[i] *= scale;
    }
    return result;
}

}  // namespace scorer_views
