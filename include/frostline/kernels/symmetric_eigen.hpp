// SPDX-License-Identifier: MIT
#pragma once

#include "frostline/core/isa.hpp"

#include <cblas.h>

#include <cstddef>
#include <optional>
#include <vector>

// LAPACK, which OpenBLAS holds, and for which it brings no header. xtensor-blas would wrap it, but declares
// the functions of CBLAS otherwise than OpenBLAS does: the two do not compile together.
extern "C" void dsyevd_(const char* job, const char* triangle, const blasint* size, double* matrix,
                        const blasint* stride, double* values, double* work, const blasint* work_size,
                        blasint* whole_work, const blasint* whole_work_size, blasint* failure,
                        std::size_t job_length, std::size_t triangle_length);

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
        dsyevd_("V", "L", &n, matrix.data(), &n, values.data(), work.data(), &work_size, whole_work.data(),
                &whole_work_size, &failure, 1, 1);
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
