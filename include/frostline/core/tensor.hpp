// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

// The only include of xtensor in the core headers: version 0.26 moved every header into subfolders.
#if __has_include(<xtensor/containers/xtensor.hpp>)
#include <xtensor/containers/xarray.hpp>
#include <xtensor/containers/xtensor.hpp>
#else
#include <xtensor/xarray.hpp>
#include <xtensor/xtensor.hpp>
#endif

#include <cstddef>
#include <memory>
#include <new>
#include <ostream>
#include <type_traits>
#include <utility>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

// g++ 12 in C++20 mode resolves xtensor 0.24's template template arguments wrongly and then compiles
// assignments to views into nothing. The interface target passes -fno-new-ttp-matching; who compiles by hand
// has to, too.
static_assert(
    std::is_same_v<xt::detail::xtype_for_shape<xt::dynamic_shape<std::size_t>>::template type<
                       float, xt::layout_type::row_major>,
                   xt::xarray<float, xt::layout_type::row_major>>,
    "frostline: compile with -fno-new-ttp-matching (g++ in C++20 mode miscompiles xtensor without it)");

/// Every array of the library starts on a cache line, which is also the widest vector register.
inline constexpr std::size_t alignment = 64;

/// `count` elements of T, rounded up to whole cache lines.
template <class T>
constexpr std::size_t whole_lines(std::size_t count) {
    constexpr std::size_t line = alignment / sizeof(T);
    return (count + line - 1) / line * line;
}

/// Allocates on cache lines and leaves new elements uninitialised: each buffer is written before it is read,
/// and zeroing hundreds of megabytes of activations would cost a pass over memory.
template <class T>
struct cache_line_allocator {
    using value_type = T;

    cache_line_allocator() = default;
    template <class U>
    cache_line_allocator(const cache_line_allocator<U>&) noexcept {}

    T* allocate(std::size_t count) {
        return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{alignment}));
    }
    void deallocate(T* pointer, std::size_t) noexcept {
        ::operator delete (pointer, std::align_val_t{alignment});
    }

    template <class U>
    void construct(U* pointer) noexcept {
        ::new (static_cast<void*>(pointer)) U;
    }
    template <class U, class... Arguments>
    void construct(U* pointer, Arguments&&... arguments) {
        ::new (static_cast<void*>(pointer)) U(std::forward<Arguments>(arguments)...);
    }

    template <class U>
    bool operator==(const cache_line_allocator<U>&) const noexcept {
        return true;
    }
};

/// A vector that keeps its largest capacity, so that a partial last batch never reallocates.
template <class T>
using aligned_vector = std::vector<T, cache_line_allocator<T>>;

/// The tensor of the API: an xtensor container of shape (samples, height, width, channels), row-major. A
/// plain feature vector is (samples, 1, 1, features). Unlike xt::xtensor it does not reallocate when it
/// shrinks.
template <class T>
using tensor = xt::xtensor_container<aligned_vector<T>, 4, xt::layout_type::row_major>;

/// Shape of one sample of a batch.
struct sample_shape {
    std::size_t height = 1;
    std::size_t width = 1;
    std::size_t channels = 1;

    std::size_t size() const { return height * width * channels; }
    bool operator==(const sample_shape&) const = default;
    friend std::ostream& operator<<(std::ostream& out, const sample_shape& shape) {
        return out << shape.height << "x" << shape.width << "x" << shape.channels;
    }
};

template <class T>
std::size_t samples_of(const tensor<T>& x) {
    return x.shape()[0];
}

template <class T>
sample_shape shape_of(const tensor<T>& x) {
    return {x.shape()[1], x.shape()[2], x.shape()[3]};
}

/// Gives `x` the shape (samples, shape...) with unspecified contents; allocates only beyond the largest size
/// so far.
template <class T>
void resize(tensor<T>& x, std::size_t samples, const sample_shape& shape) {
    // The old memory goes first, so that a tensor that grows never takes both.
    if (samples * shape.size() > x.storage().capacity()) x = tensor<T>();
    x.resize({samples, shape.height, shape.width, shape.channels});
}

}  // namespace frostline
