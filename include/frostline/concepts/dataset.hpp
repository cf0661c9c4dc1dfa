// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/tensor.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>

namespace frostline::inline FROSTLINE_ISA {

/// A data set for classification: a fixed number of samples of one shape, each with one target class.
///
/// Requirements on a type `D`, all of them on a `const D`:
/// 1. `d.size() -> std::size_t`: number of samples, at least 1, the same for the life of `d`.
/// 2. `d.shape() -> sample_shape`: shape of every sample.
/// 3. `d.classes() -> std::size_t`: number of classes; more of them than occur in `d` is fine.
/// 4. `d.sample_id(index) -> std::uint64_t`: name of the sample at `index`. It belongs to the sample, not
///    to its place: a subset, a split or a shuffled view gives the same sample the same id. Batch order,
///    augmentation and the feature store are keyed by it, so two different samples of one data set must not
///    share an id.
/// 5. `d.target(index) -> std::int32_t`: class of the sample, in [0, classes()).
/// 6. `d.read(index, pixels)` for `std::span<float>` and `std::span<double>` of shape().size()
///    elements: overwrites all of `pixels` with the sample, row-major (height, width, channels). The same
///    index always gives the same values: random augmentation happens to batches, later.
///
/// `index` is in [0, size()): callers see to it. Every member may be called from several threads at once.
/// Copies of a data set are expected to be cheap, since transforms (`normalised`, `subset`, ...) hold theirs
/// by value. `read` should not allocate, where the medium allows it; it may throw data_error.
///
/// The smallest model, a set of two grey pixels, one black and one white:
/// @code
/// struct two_pixels {
///     std::size_t size() const { return 2; }
///     sample_shape shape() const { return {1, 1, 1}; }
///     std::size_t classes() const { return 2; }
///     std::uint64_t sample_id(std::size_t index) const { return index; }
///     std::int32_t target(std::size_t index) const { return static_cast<std::int32_t>(index); }
///     template <class T>
///     void read(std::size_t index, std::span<T> pixels) const { pixels[0] = static_cast<T>(index); }
/// };
/// @endcode
template <class D>
concept dataset = requires(const D& d, std::size_t index, std::span<float> singles,
                           std::span<double> doubles) {
    { d.size() } -> std::convertible_to<std::size_t>;
    { d.shape() } -> std::same_as<sample_shape>;
    { d.classes() } -> std::convertible_to<std::size_t>;
    { d.sample_id(index) } -> std::convertible_to<std::uint64_t>;
    { d.target(index) } -> std::convertible_to<std::int32_t>;
    d.read(index, singles);
    d.read(index, doubles);
};

}  // namespace frostline::inline FROSTLINE_ISA
