// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/pass.hpp"
#include "frostline/kernels/direct_convolution.hpp"
#include "frostline/kernels/im2col_convolution.hpp"
#include "frostline/kernels/winograd_convolution.hpp"

#include <cstddef>

namespace frostline::inline FROSTLINE_ISA::kernels {

/// What a training forward keeps for the gradient of the weights. May stay empty: then x is transformed again.
template <class T>
struct convolution_memory {
    aligned_vector<T> transformed_input;
};

/// The algorithms. `pointwise` and `direct` differ in name only: a 1 x 1 convolution is the direct one with one tap.
enum class convolution_engine { im2col, pointwise, direct, winograd_2x2, winograd_4x4 };

enum class convolution_pass { forward, backward_input, backward_weights };

/// Chooses the engine: a pure function of the geometry of one sample, the pass and the phase.
constexpr convolution_engine choose_convolution_engine(const convolution_geometry& g, convolution_pass pass, phase how) {
    const bool pointwise = im2col::is_pointwise(g);
    if constexpr (own_product_is_fast) {
        if (pointwise) return convolution_engine::pointwise;
        if (g.input_channels < 16 && pass != convolution_pass::backward_input) return convolution_engine::im2col;
        return convolution_engine::direct;
    } else {
        if (how == phase::inference && g.output_positions() < 16) return convolution_engine::direct;
        return pointwise ? convolution_engine::pointwise : convolution_engine::im2col;
    }
}

/// y = epilogue(x * w); overwrites y. `memory` is null in inference, where the bits of a sample's output depend on
/// nothing but that sample.
template <class T>
void convolution_forward(const convolution_geometry& g, const T* x, const T* w, const convolution_epilogue<T>& epilogue,
                         T* y, phase how, convolution_memory<T>* memory, workspace<T>& scratch,
                         convolution_engine engine) {
    const bool direct = engine == convolution_engine::direct ||
                        (engine == convolution_engine::pointwise && !im2col::uses_blas(g, how));
    if (direct) {
        direct::forward(g, x, w, epilogue, y);
    } else if (engine == convolution_engine::winograd_2x2) {
        winograd::forward<2, T>(g, x, w, epilogue, y, how, memory ? &memory->transformed_input : nullptr, scratch);
    } else if (engine == convolution_engine::winograd_4x4) {
        winograd::forward<4, T>(g, x, w, epilogue, y, how, memory ? &memory->transformed_input : nullptr, scratch);
    } else {
        im2col::forward(g, x, w, epilogue, y, how, scratch);
    }
}

template <class T>
void convolution_forward(const convolution_geometry& g, const T* x, const T* w, const convolution_epilogue<T>& epilogue,
                         T* y, phase how, convolution_memory<T>* memory, workspace<T>& scratch) {
    convolution_forward(g, x, w, epilogue, y, how, memory, scratch,
                        choose_convolution_engine(g, convolution_pass::forward, how));
}

/// dx = gradient of the input; overwrites dx.
template <class T>
void convolution_backward_input(const convolution_geometry& g, const T* dy, const T* w, T* dx, workspace<T>& scratch,
                                convolution_engine engine) {
    const bool direct = engine == convolution_engine::direct ||
                        (engine == convolution_engine::pointwise && own_product_is_fast);
    if (direct) {
        direct::backward_input(g, dy, w, dx);
    } else if (engine == convolution_engine::winograd_2x2) {
        winograd::backward_input<2, T>(g, dy, w, dx, scratch);
    } else if (engine == convolution_engine::winograd_4x4) {
        winograd::backward_input<4, T>(g, dy, w, dx, scratch);
    } else {
        im2col::backward_input(g, dy, w, dx, scratch);
    }
}

template <class T>
void convolution_backward_input(const convolution_geometry& g, const T* dy, const T* w, T* dx, workspace<T>& scratch) {
    convolution_backward_input(g, dy, w, dx, scratch,
                               choose_convolution_engine(g, convolution_pass::backward_input, phase::training));
}

/// dw = gradient of the weights; overwrites dw. `memory` is that of the forward pass on the same x.
template <class T>
void convolution_backward_weights(const convolution_geometry& g, const T* x, const T* dy, T* dw,
                                  const convolution_memory<T>& memory, workspace<T>& scratch,
                                  convolution_engine engine) {
    const bool direct = engine == convolution_engine::direct ||
                        (engine == convolution_engine::pointwise && own_product_is_fast);
    if (direct) {
        direct::backward_weights(g, x, dy, dw, scratch);
    } else if (engine == convolution_engine::winograd_2x2) {
        winograd::backward_weights<2, T>(g, x, dy, dw, memory.transformed_input, scratch);
    } else if (engine == convolution_engine::winograd_4x4) {
        winograd::backward_weights<4, T>(g, x, dy, dw, memory.transformed_input, scratch);
    } else {
        im2col::backward_weights(g, x, dy, dw, scratch);
    }
}

template <class T>
void convolution_backward_weights(const convolution_geometry& g, const T* x, const T* dy, T* dw,
                                  const convolution_memory<T>& memory, workspace<T>& scratch) {
    convolution_backward_weights(g, x, dy, dw, memory, scratch,
                                 choose_convolution_engine(g, convolution_pass::backward_weights, phase::training));
}

}  // namespace frostline::kernels
