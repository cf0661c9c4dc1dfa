// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/kernels/gemm.hpp"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace frostline::inline FROSTLINE_ISA {

/// X X^T of a row-major matrix with so many rows: the similarity of every two samples. In double precision,
/// since what scorers look for is the small difference between two of them.
template <class T>
std::vector<double> gram(std::span<const T> x, std::size_t rows) {
    constexpr std::size_t widest = 1024;  // columns at a time, so that the copy stays small
    const std::size_t columns = x.size() / rows;
    std::vector<double> product(rows * rows, 0.0), part(rows * std::min(widest, columns));
    for (std::size_t begin = 0; begin < columns; begin += widest) {
        const std::size_t width = std::min(widest, columns - begin);
        for (std::size_t row = 0; row < rows; ++row)
            std::copy_n(x.data() + row * columns + begin, width, part.data() + row * width);
        kernels::blas_product(false, true, rows, rows, width, part.data(), width, part.data(), width, true,
                              product.data(), rows);
    }
    return product;
}

}  // namespace frostline
