// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/tensor.hpp"
#include "frostline/kernels/row_tiles.hpp"

#include <array>
#include <cmath>
#include <cstddef>

// clang warns of every loop with a hint that it does not vectorise, which without optimisation are all.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

/// Batch normalisation and column sums of a row-major matrix of `rows` (samples and positions) by `channels`.
/// Every function is bit-identical for any number of threads. Scratch is `column_scratch_size` elements.
namespace frostline::inline FROSTLINE_ISA::kernels {

/// Elements of T that the functions with a `scratch` need.
inline std::size_t column_scratch_size(std::size_t rows, std::size_t channels) {
    return 3 * channels * chunk_count(rows, channels);
}

/// first[c] += sum of term(i, c)[0] and second[c] += sum of term(i, c)[1], over the elements i of column c.
/// Four rows at a time, so that the totals are loaded and stored once for four terms.
template <class T, class Term>
void add_columns(std::size_t offset, std::size_t rows, std::size_t stride, std::size_t width,
                 const Term& term, T* __restrict first, T* __restrict second) {
    std::size_t row = 0;
    for (; row + 4 <= rows; row += 4, offset += 4 * stride) {
        FROSTLINE_INDEPENDENT
        for (std::size_t c = 0; c < width; ++c) {
            const std::array<T, 2> a = term(offset + c, c);
            const std::array<T, 2> b = term(offset + stride + c, c);
            const std::array<T, 2> d = term(offset + 2 * stride + c, c);
            const std::array<T, 2> e = term(offset + 3 * stride + c, c);
            first[c] += (a[0] + b[0]) + (d[0] + e[0]);
            second[c] += (a[1] + b[1]) + (d[1] + e[1]);
        }
    }
    for (; row < rows; ++row, offset += stride) {
        FROSTLINE_INDEPENDENT
        for (std::size_t c = 0; c < width; ++c) {
            const std::array<T, 2> a = term(offset + c, c);
            first[c] += a[0];
            second[c] += a[1];
        }
    }
}

/// As above, for one sum.
template <class T, class Term>
void add_columns(std::size_t offset, std::size_t rows, std::size_t stride, std::size_t width,
                 const Term& term, T* __restrict total) {
    std::size_t row = 0;
    for (; row + 4 <= rows; row += 4, offset += 4 * stride) {
        FROSTLINE_INDEPENDENT
        for (std::size_t c = 0; c < width; ++c)
            total[c] += (term(offset + c) + term(offset + stride + c)) +
                        (term(offset + 2 * stride + c) + term(offset + 3 * stride + c));
    }
    for (; row < rows; ++row, offset += stride) {
        FROSTLINE_INDEPENDENT
        for (std::size_t c = 0; c < width; ++c) total[c] += term(offset + c);
    }
}

/// total[c] = sum over the chunks of partial[chunk * pitch + c], in order and in double.
template <class T>
void add_chunks(std::size_t chunks, std::size_t pitch, std::size_t channels, const T* partial, T* total) {
    constexpr std::size_t block = 64;
    parallel_for((channels + block - 1) / block, [&](std::size_t number) {
        const std::size_t first = number * block, count = std::min(block, channels - first);
        std::array<double, block> sum{};
        for (std::size_t chunk = 0; chunk < chunks; ++chunk)
            for (std::size_t c = 0; c < count; ++c)
                sum[c] += static_cast<double>(partial[chunk * pitch + first + c]);
        for (std::size_t c = 0; c < count; ++c) total[first + c] = static_cast<T>(sum[c]);
    });
}

/// Mean and biased variance of every column, from one pass over memory. Within a chunk, which stays in the
/// nearest cache, by the corrected two-pass formula, and across chunks in double by the pairwise update of
/// Chan, Golub and LeVeque ("Algorithms for computing the sample variance", 1983): a mean far from zero costs
/// no digits.
template <class T>
void column_statistics(std::size_t rows, std::size_t channels, const T* z, T* mean, T* variance, T* scratch) {
    const std::size_t chunk = chunk_rows(channels), chunks = chunk_count(rows, channels);
    for_each_tile(rows, channels, [&](const row_tile& tile) {
        alignas(alignment) std::array<T, tile_columns> pivot_sum{}, pivot, first{}, second{};
        tile.sweep([&](std::size_t offset, std::size_t count, std::size_t stride, std::size_t width) {
            add_columns(
                offset, count, stride, width, [z](std::size_t i) { return z[i]; }, pivot_sum.data());
        });
        tile.gather(pivot_sum.data());
        T* partial = scratch + tile.chunk * 3 * channels;
        for (std::size_t c = 0; c < tile.channels; ++c)
            partial[tile.first_channel + c] = pivot_sum[c] / static_cast<T>(tile.rows);
        tile.spread(partial, pivot.data());
        const T* centre = pivot.data();
        tile.sweep([&](std::size_t offset, std::size_t count, std::size_t stride, std::size_t width) {
            const auto deviations = [z, centre](std::size_t i, std::size_t c) {
                const T deviation = z[i] - centre[c];
                return std::array<T, 2>{deviation, deviation * deviation};
            };
            add_columns(offset, count, stride, width, deviations, first.data(), second.data());
        });
        tile.gather(first.data());
        tile.gather(second.data());
        std::copy_n(first.data(), tile.channels, partial + channels + tile.first_channel);
        std::copy_n(second.data(), tile.channels, partial + 2 * channels + tile.first_channel);
    });

    constexpr std::size_t block = 64;
    parallel_for((channels + block - 1) / block, [&](std::size_t number) {
        const std::size_t begin = number * block, count = std::min(block, channels - begin);
        std::array<double, block> centre{}, squares{};
        double before = 0;
        for (std::size_t part = 0; part < chunks; ++part) {
            const auto added = static_cast<double>(std::min(chunk, rows - part * chunk));
            const double after = before + added;
            const T* partial = scratch + part * 3 * channels + begin;
            for (std::size_t c = 0; c < count; ++c) {
                const double offset = static_cast<double>(partial[channels + c]) / added;
                const double chunk_mean = static_cast<double>(partial[c]) + offset;
                const double chunk_squares =
                    static_cast<double>(partial[2 * channels + c]) - added * offset * offset;
                const double apart = chunk_mean - centre[c];
                centre[c] += apart * (added / after);
                squares[c] += chunk_squares + apart * apart * (before * added / after);
            }
            before = after;
        }
        for (std::size_t c = 0; c < count; ++c) {
            mean[begin + c] = static_cast<T>(centre[c]);
            variance[begin + c] = static_cast<T>(squares[c] < 0 ? 0 : squares[c] / before);
        }
    });
}

/// 1 / sqrt(variance + epsilon), and batch norm as y = z * scale + shift. `inverse_deviation` may be null.
template <class T>
void batch_norm_coefficients(std::size_t channels, const T* mean, const T* variance, const T* weight,
                             const T* bias, double epsilon, T* inverse_deviation, T* scale, T* shift) {
    for (std::size_t c = 0; c < channels; ++c) {
        const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[c]) + epsilon);
        const double slope = inverse * static_cast<double>(weight[c]);
        if (inverse_deviation != nullptr) inverse_deviation[c] = static_cast<T>(inverse);
        scale[c] = static_cast<T>(slope);
        shift[c] = static_cast<T>(static_cast<double>(bias[c]) - static_cast<double>(mean[c]) * slope);
    }
}

/// Moves running statistics towards those of a batch of `rows`, whose biased variance is made unbiased first
/// (as PyTorch does). Needs rows > 1.
template <class T>
void update_running_statistics(std::size_t rows, std::size_t channels, const T* mean, const T* variance,
                               double momentum, T* running_mean, T* running_variance) {
    const double unbiased = static_cast<double>(rows) / static_cast<double>(rows - 1);
    for (std::size_t c = 0; c < channels; ++c) {
        running_mean[c] = static_cast<T>((1 - momentum) * running_mean[c] + momentum * mean[c]);
        running_variance[c] =
            static_cast<T>((1 - momentum) * running_variance[c] + momentum * unbiased * variance[c]);
    }
}

template <bool Adds, bool Relu, class T>
void normalise_tiles(std::size_t rows, std::size_t channels, const T* z, const T* scale, const T* shift,
                     const T* addend, T* y) {
    for_each_tile(rows, channels, [&](const row_tile& tile) {
        alignas(alignment) std::array<T, tile_columns> slopes, intercepts;
        tile.spread(scale, slopes.data());
        tile.spread(shift, intercepts.data());
        tile.sweep([&](std::size_t offset, std::size_t count, std::size_t stride, std::size_t width) {
            for (std::size_t row = 0; row < count; ++row, offset += stride) {
                FROSTLINE_INDEPENDENT
                for (std::size_t c = 0; c < width; ++c) {
                    T value = z[offset + c] * slopes[c] + intercepts[c];
                    if constexpr (Adds) value += addend[offset + c];
                    if constexpr (Relu)
                        value = value < 0 ? T{0} : value;  // keeps NaN, which must not pass for zero
                    y[offset + c] = value;
                }
            }
        });
    });
}

/// y = [relu](z * scale + shift + addend); `addend` may be null, y may be z or addend. Each row depends on
/// its own row alone, to the bit.
template <class T>
void normalise(std::size_t rows, std::size_t channels, const T* z, const T* scale, const T* shift,
               const T* addend, bool relu, T* y) {
    if (addend != nullptr) {
        if (relu)
            normalise_tiles<true, true>(rows, channels, z, scale, shift, addend, y);
        else
            normalise_tiles<true, false>(rows, channels, z, scale, shift, addend, y);
    } else {
        if (relu)
            normalise_tiles<false, true>(rows, channels, z, scale, shift, addend, y);
        else
            normalise_tiles<false, false>(rows, channels, z, scale, shift, addend, y);
    }
}

/// What batch norm's backward pass sums over a batch: sum_dy (the gradient of the bias) and sum_dy_xhat (that
/// of the weight), where xhat = (z - mean) * inverse_deviation. With `y`, the output after a ReLU, dy counts
/// as zero wherever y is not positive; null takes dy as it is. That gradient is written to `masked`, which
/// may be dy.
template <class T>
void batch_norm_backward_sums(std::size_t rows, std::size_t channels, const T* dy, const T* y, const T* z,
                              const T* mean, const T* inverse_deviation, T* masked, T* sum_dy, T* sum_dy_xhat,
                              T* scratch) {
    for_each_tile(rows, channels, [&](const row_tile& tile) {
        alignas(alignment) std::array<T, tile_columns> centres, first{}, second{};
        tile.spread(mean, centres.data());
        const T* centre = centres.data();
        tile.sweep([&](std::size_t offset, std::size_t count, std::size_t stride, std::size_t width) {
            const auto mask = [=](std::size_t i, std::size_t c) {
                // Loaded in any case: GCC 12 does not vectorise a load under a condition, and then this takes
                // a fifth of a step of VGG-11.
                const T incoming = dy[i];
                const T gradient = y[i] <= 0 ? T{0} : incoming;
                masked[i] = gradient;
                return std::array<T, 2>{gradient, gradient * (z[i] - centre[c])};
            };
            const auto copy = [=](std::size_t i, std::size_t c) {
                masked[i] = dy[i];
                return std::array<T, 2>{dy[i], dy[i] * (z[i] - centre[c])};
            };
            const auto read = [=](std::size_t i, std::size_t c) {
                return std::array<T, 2>{dy[i], dy[i] * (z[i] - centre[c])};
            };
            if (y != nullptr)
                add_columns(offset, count, stride, width, mask, first.data(), second.data());
            else if (masked != dy)
                add_columns(offset, count, stride, width, copy, first.data(), second.data());
            else
                add_columns(offset, count, stride, width, read, first.data(), second.data());
        });
        tile.gather(first.data());
        tile.gather(second.data());
        T* partial = scratch + tile.chunk * 2 * channels + tile.first_channel;
        for (std::size_t c = 0; c < tile.channels; ++c) {
            partial[c] = first[c];
            partial[channels + c] = second[c] * inverse_deviation[tile.first_channel + c];
        }
    });
    const std::size_t chunks = chunk_count(rows, channels);
    add_chunks(chunks, 2 * channels, channels, scratch, sum_dy);
    add_chunks(chunks, 2 * channels, channels, scratch + channels, sum_dy_xhat);
}

/// dz = weight * inverse_deviation * (dy - sum_dy / rows - xhat * sum_dy_xhat / rows), the gradient of batch
/// norm's input (Ioffe and Szegedy 2015, section 3), with the sums from batch_norm_backward_sums. dz may be
/// dy or z.
template <class T>
void batch_norm_backward_input(std::size_t rows, std::size_t channels, const T* dy, const T* z, const T* mean,
                               const T* inverse_deviation, const T* weight, const T* sum_dy,
                               const T* sum_dy_xhat, T* dz) {
    const auto count_of_rows = static_cast<double>(rows);
    for_each_tile(rows, channels, [&](const row_tile& tile) {
        alignas(alignment) std::array<T, tile_columns> centre, slope, tilt, level;
        for (std::size_t c = 0; c < tile.width(); ++c) {
            const std::size_t channel = tile.first_channel + c % tile.channels;
            const double inverse = static_cast<double>(inverse_deviation[channel]);
            const double outer = inverse * static_cast<double>(weight[channel]);
            centre[c] = mean[channel];
            slope[c] = static_cast<T>(outer);
            tilt[c] =
                static_cast<T>(outer * inverse * static_cast<double>(sum_dy_xhat[channel]) / count_of_rows);
            level[c] = static_cast<T>(outer * static_cast<double>(sum_dy[channel]) / count_of_rows);
        }
        tile.sweep([&](std::size_t offset, std::size_t count, std::size_t stride, std::size_t width) {
            for (std::size_t row = 0; row < count; ++row, offset += stride) {
                FROSTLINE_INDEPENDENT
                for (std::size_t c = 0; c < width; ++c)
                    dz[offset + c] =
                        slope[c] * dy[offset + c] - level[c] - tilt[c] * (z[offset + c] - centre[c]);
            }
        });
    });
}

/// sums[c] = sum of column c: the gradient of a bias.
template <class T>
void column_sums(std::size_t rows, std::size_t channels, const T* dy, T* sums, T* scratch) {
    for_each_tile(rows, channels, [&](const row_tile& tile) {
        alignas(alignment) std::array<T, tile_columns> total{};
        tile.sweep([&](std::size_t offset, std::size_t count, std::size_t stride, std::size_t width) {
            add_columns(
                offset, count, stride, width, [dy](std::size_t i) { return dy[i]; }, total.data());
        });
        tile.gather(total.data());
        std::copy_n(total.data(), tile.channels, scratch + tile.chunk * channels + tile.first_channel);
    });
    add_chunks(chunk_count(rows, channels), channels, channels, scratch, sums);
}

}  // namespace frostline::kernels

#if defined(__clang__)
#pragma clang diagnostic pop
#endif
