// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"
#include "frostline/core/openblas.hpp"

#include <cstddef>
#include <optional>
#include <vector>

namespace frostline::inline FROSTLINE_ISA::kernels {

/// The eigenvalues of a symmetric matrix (size x size), ascending; its rows become their eigenvectors, of
/// length 1. On the calling thread, once blas_product has been called. @return nothing where LAPACK finds
/// none
inline std::optional<std::vector<double>> symmetric_eigen(std::vector<double>& matrix, std::size_t size) {
    std::vector<double> values(size), work(1);
    std::vector<blasint> whole_work(1);
    const auto n = static_cast<blasint>(size);
    blasint work_size = -1, whole_work_size = -1, failure = 0;  // -1 asks how much is needed
    const auto call = [&] {
        ::dsyevd_("V", "L", &n, matrix.data(), &n, values.data(), work.data(), &work_size, whole_work.data(),
                  &whole_work_size, &failure);
    };
    call();
    work_size = static_cast<blasint>(work[0]);
    whole_work_size = whole_work[0];
    work.resize(static_cast<std::size_t>(work_size));
    whole_work.resize(static_cast<std::size_t>(whole_work_size));
    call();
    if (failure != 0) return std::nullopt;
    return values;
}

}  // namespace frostline::kernels
