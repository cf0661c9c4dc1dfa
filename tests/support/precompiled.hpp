// SPDX-License-Identifier: MIT
// The precompiled header of all tests: what each of them parses, and the convolution engines, which precompiled.cpp
// compiles once in place of every test file.
#pragma once

#include "frostline/kernels/convolution.hpp"
#include "support/catch.hpp"

#define FROSTLINE_TEST_ENGINES(kind, T)                                                                      \
    kind template void convolution_forward<T>(const convolution_geometry&, const T*, const T*,               \
                                              const convolution_epilogue<T>&, T*, phase, workspace<T>&,      \
                                              convolution_engine);                                           \
    kind template void convolution_backward_input<T>(const convolution_geometry&, const T*, const T*, T*,    \
                                                     workspace<T>&, convolution_engine);                     \
    kind template void convolution_backward_weights<T>(const convolution_geometry&, const T*, const T*, T*,  \
                                                       workspace<T>&, convolution_engine);

namespace frostline::inline FROSTLINE_ISA::kernels {
FROSTLINE_TEST_ENGINES(extern, float)
FROSTLINE_TEST_ENGINES(extern, double)
}  // namespace frostline::kernels
