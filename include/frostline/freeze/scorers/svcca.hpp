// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/scorer.hpp"
#include "frostline/core/errors.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/freeze/scorers/finite_score.hpp"
#include "frostline/freeze/scorers/probe_options.hpp"
#include "frostline/kernels/gemm.hpp"
#include "frostline/kernels/symmetric_eigen.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// 1 - the mean canonical correlation between a block's outputs on the probe batch and those of the
/// reference, each first reduced to the principal directions that hold `variance` of its variance. Channels
/// are the features, and every position of every sample is an observation.
///
/// SVCCA, Raghu et al. 2017 (arXiv 1706.05806), who freeze layers from the input on as they converge in this
/// measure. There is no score where the reduced spaces together have as many dimensions as there are
/// observations, since any two such spaces meet: take more samples then.
class svcca {
public:
    /// @throws argument_error unless the variance lies in (0, 1]
    explicit svcca(const probe_options& options = {}, double variance = 0.99)
        : observes(options), variance_(variance) {
        require<argument_error>(variance > 0 && variance <= 1, "svcca: variance is ", variance,
                                ", expected a share above 0 and up to 1");
    }

    template <class T>
    std::optional<double> operator()(const block_view<T>& view) const {
        if (view.reference_outputs.empty()) return std::nullopt;
        const std::size_t channels = view.channels, rows = view.outputs.size() / channels;
        const std::array outputs{centred(view.outputs, channels), centred(view.reference_outputs, channels)};
        std::array<directions, 2> spaces;
        parallel_for(2, [&](std::size_t i) { spaces[i] = principal_directions(outputs[i], channels); });
        const std::size_t k = spaces[0].count, l = spaces[1].count;
        if (k == 0 || l == 0 || k + l >= rows) return std::nullopt;

        // Both reduced outputs, X A and Y B, have orthonormal columns, and the correlations are the singular
        // values of P = (X A)^T (Y B): the roots of the eigenvalues of P P^T or P^T P, whichever is smaller.
        std::vector<double> cross(channels * channels), half(channels * l), product(k * l);
        kernels::blas_product(true, false, channels, channels, rows, outputs[0].data(), channels,
                              outputs[1].data(), channels, false, cross.data(), channels);
        kernels::blas_product(false, true, channels, l, channels, cross.data(), channels,
                              spaces[1].scaled.data(), channels, false, half.data(), l);
        kernels::blas_product(false, false, k, l, channels, spaces[0].scaled.data(), channels, half.data(), l,
                              false, product.data(), l);
        const bool wide = k < l;
        const std::size_t count = std::min(k, l);
        std::vector<double> squares(count * count);
        kernels::blas_product(!wide, wide, count, count, std::max(k, l), product.data(), l, product.data(), l,
                              false, squares.data(), count);
        const auto correlations = kernels::symmetric_eigen(squares, count);
        if (!correlations) return std::nullopt;
        double sum = 0;
        for (const double square : *correlations) sum += std::sqrt(std::clamp(square, 0.0, 1.0));
        return finite_score(1 - sum / static_cast<double>(count));
    }

    observations observes;

private:
    // Rows are the principal directions, each divided by its singular value: count x channels.
    struct directions {
        std::size_t count = 0;
        std::vector<double> scaled;
    };

    // One row an observation, every channel minus its mean.
    template <class T>
    static std::vector<double> centred(std::span<const T> outputs, std::size_t channels) {
        std::vector<double> found(outputs.begin(), outputs.end()), means(channels);
        const std::size_t rows = outputs.size() / channels;
        for (std::size_t row = 0; row < rows; ++row)
            for (std::size_t i = 0; i < channels; ++i) means[i] += found[row * channels + i];
        for (double& mean : means) mean /= static_cast<double>(rows);
        for (std::size_t row = 0; row < rows; ++row)
            for (std::size_t i = 0; i < channels; ++i) found[row * channels + i] -= means[i];
        return found;
    }

    directions principal_directions(const std::vector<double>& x, std::size_t channels) const {
        std::vector<double> vectors(channels * channels);
        kernels::blas_product(true, false, channels, channels, x.size() / channels, x.data(), channels,
                              x.data(), channels, false, vectors.data(), channels);
        // Of the covariance: the squares of the singular values of x, and its right singular vectors.
        const auto squares = kernels::symmetric_eigen(vectors, channels);
        directions found;
        if (!squares) return found;
        double all = 0, held = 0;
        for (const double square : *squares) all += std::max(square, 0.0);
        // Where all of it is wanted, what rounding leaves of directions without variance is passed over.
        const double least = static_cast<double>(channels) * std::numeric_limits<double>::epsilon() *
                             std::max(squares->back(), 0.0);
        while (held < variance_ * all && found.count < channels) {
            const std::size_t row = channels - found.count - 1;
            if (!((*squares)[row] > least)) break;
            ++found.count;
            held += (*squares)[row];
            for (std::size_t i = 0; i < channels; ++i)
                found.scaled.push_back(vectors[row * channels + i] / std::sqrt((*squares)[row]));
        }
        return found;
    }

    double variance_;
};

}  // namespace frostline
