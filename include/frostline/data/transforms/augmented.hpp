// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/concepts/dataset.hpp"
#include "frostline/core/random.hpp"
#include "frostline/core/tensor.hpp"

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <tuple>
#include <utility>

namespace frostline::inline FROSTLINE_ISA {

/// A random change of one sample.
///
/// Requirements on a type `A`, all of them on a `const A`:
/// 1. `a.output_shape(shape) -> sample_shape`: what samples of `shape` become; throws shape_error for shapes
///    that it does not take.
/// 2. `a(draws, from, shape, to)` for spans of float and of double: overwrites all of `to`, of
///    output_shape(shape), with the changed `from`, of `shape`. Pixels are row-major and usually in [0, 1].
///    What happens depends on `draws`, a random_stream, and on `from` alone. May run in several threads at
///    once.
template <class A>
concept augmentation = requires(const A& a, const random_stream& draws, const sample_shape& shape,
                                std::span<const float> singles, std::span<float> new_singles,
                                std::span<const double> doubles, std::span<double> new_doubles) {
    { a.output_shape(shape) } -> std::same_as<sample_shape>;
    a(draws, singles, shape, new_singles);
    a(draws, doubles, shape, new_doubles);
};

/// A data set whose samples go through random steps, one after the other:
/// `augmented(data, seed, random_crop{4}, horizontal_flip{})`. What a step does to a sample is a function of
/// (seed, view, sample id, place of the step), whatever else is read, in whichever order.
///
/// The order with `normalised` matters: steps that fill with zeros fill with black before it, with the mean
/// colour after it, and colour_jitter wants pixels in [0, 1].
template <dataset Dataset, augmentation... Steps>
    requires(sizeof...(Steps) > 0)
class augmented {
public:
    /// @throws shape_error when a step does not take what comes out of the one before it, argument_error when
    /// an option of a step is out of range
    augmented(Dataset data, std::uint64_t seed, Steps... steps)
        : data_(std::move(data)), seed_(seed), steps_(std::move(steps)...) {
        shapes_[0] = data_.shape();
        for_each_step([&](const auto& step, std::size_t place) {
            shapes_[place + 1] = step.output_shape(shapes_[place]);
        });
    }

    std::size_t size() const { return data_.size(); }
    sample_shape shape() const { return shapes_.back(); }
    std::size_t classes() const { return data_.classes(); }
    std::uint64_t sample_id(std::size_t index) const { return data_.sample_id(index); }
    std::int32_t target(std::size_t index) const { return data_.target(index); }
    bool random() const { return true; }

    template <std::floating_point T>
    void read(std::size_t index, std::span<T> pixels) const {
        read(index, 0, pixels);
    }

    template <std::floating_point T>
    void read(std::size_t index, std::uint32_t view, std::span<T> pixels) const {
        // Taken out of their places while in use: behind an any_dataset, data_ may be of this very type.
        thread_local aligned_vector<T> kept_present, kept_next;
        auto present = std::exchange(kept_present, {}), next = std::exchange(kept_next, {});
        present.resize(shapes_[0].size());
        read_view(data_, index, view, std::span<T>(present));
        for_each_step([&](const auto& step, std::size_t place) {
            const random_stream draws(seed_, purpose::augmentation, std::uint64_t{view} << 32 | place,
                                      data_.sample_id(index));
            const bool last = place + 1 == sizeof...(Steps);
            next.resize(last ? 0 : shapes_[place + 1].size());
            step(draws, std::span<const T>(present), shapes_[place], last ? pixels : std::span<T>(next));
            std::swap(present, next);
        });
        kept_present = std::move(present);
        kept_next = std::move(next);
    }

private:
    template <class Action>
    void for_each_step(const Action& action) const {
        std::apply(
            [&](const auto&... steps) {
                std::size_t place = 0;
                (action(steps, place++), ...);
            },
            steps_);
    }

    Dataset data_;
    std::uint64_t seed_;
    std::tuple<Steps...> steps_;
    std::array<sample_shape, sizeof...(Steps) + 1> shapes_;
};

}  // namespace frostline::inline FROSTLINE_ISA
