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
///    index always gives the same values; random augmentation has views, see dataset_with_views.
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

/// Stops compilation with one sentence for each requirement of `dataset` that `D` does not meet.
template <class D>
consteval bool explain_dataset() {
    static_assert(
        requires(const D& d) {
            { d.size() } -> std::convertible_to<std::size_t>;
        },
        "frostline: a data set needs size() const, the number of samples");
    static_assert(
        requires(const D& d) {
            { d.shape() } -> std::same_as<sample_shape>;
        },
        "frostline: a data set needs shape() const, returning sample_shape");
    static_assert(
        requires(const D& d) {
            { d.classes() } -> std::convertible_to<std::size_t>;
        },
        "frostline: a data set needs classes() const, the number of classes");
    static_assert(
        requires(const D& d, std::size_t index) {
            { d.sample_id(index) } -> std::convertible_to<std::uint64_t>;
        },
        "frostline: a data set needs sample_id(index) const, returning std::uint64_t");
    static_assert(
        requires(const D& d, std::size_t index) {
            { d.target(index) } -> std::convertible_to<std::int32_t>;
        },
        "frostline: a data set needs target(index) const, returning std::int32_t");
    static_assert(
        requires(const D& d, std::size_t index, std::span<float> singles, std::span<double> doubles) {
            d.read(index, singles);
            d.read(index, doubles);
        },
        "frostline: a data set needs read(index, pixels) const, for std::span<float> and std::span<double>");
    return true;
}

/// A data set that may show each sample in many views, as random augmentation does. Training reads view
/// number e in epoch e.
///
/// Requirements beyond those of `dataset`:
/// 7. `d.random() -> bool`: whether the views of a sample differ.
/// 8. `d.read(index, view, pixels)`, view a `std::uint32_t`: overwrites `pixels` with that view of the
/// sample.
///    The same index and view always give the same values, and `d.read(index, pixels)` gives view 0.
/// 9. `d.views() -> std::size_t`, optional: after how many views they come again: view v is view v % views().
///    Absent, or 0: never.
template <class D>
concept dataset_with_views = dataset<D> && requires(const D& d, std::size_t index, std::uint32_t view,
                                                    std::span<float> singles, std::span<double> doubles) {
    { d.random() } -> std::same_as<bool>;
    d.read(index, view, singles);
    d.read(index, view, doubles);
};

/// Whether each epoch sees other pixels of the same samples.
template <dataset D>
bool is_random(const D& data) {
    if constexpr (dataset_with_views<D>)
        return data.random();
    else
        return false;
}

/// After how many epochs the same pixels come again: 1 where nothing is random, 0: never.
template <dataset D>
std::size_t views_of(const D& data) {
    if (!is_random(data)) return 1;
    if constexpr (requires {
                      { data.views() } -> std::convertible_to<std::size_t>;
                  })
        return static_cast<std::size_t>(data.views());
    else
        return 0;
}

/// Reads a view of a sample, which is the sample itself where there are no views.
template <dataset D, class T>
void read_view(const D& data, std::size_t index, std::uint32_t view, std::span<T> pixels) {
    if constexpr (dataset_with_views<D>)
        data.read(index, view, pixels);
    else
        data.read(index, pixels);
}

}  // namespace frostline::inline FROSTLINE_ISA
