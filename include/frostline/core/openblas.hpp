// SPDX-License-Identifier: MIT
/// @file
/// What frostline calls of OpenBLAS and of the LAPACK that it holds. Its cblas.h and xtensor-blas each declare
/// the C interface, in ways that do not compile together; a header that included either would keep the other
/// out of its users' programs. The Fortran interface, declared as xtensor-blas does where that does, goes with
/// both, before and after them.
#pragma once

#include <openblas_config.h>  // blasint

extern "C" {
void openblas_set_num_threads(int threads);
char* openblas_get_config(void);
char* openblas_get_corename(void);

// C = alpha op(A) op(B) + beta C, column-major; op(A) is m x k.
void sgemm_(const char* transpose_a, const char* transpose_b, const blasint* m, const blasint* n,
            const blasint* k, const float* alpha, const float* a, const blasint* lda, const float* b,
            const blasint* ldb, const float* beta, float* c, const blasint* ldc);
void dgemm_(const char* transpose_a, const char* transpose_b, const blasint* m, const blasint* n,
            const blasint* k, const double* alpha, const double* a, const blasint* lda, const double* b,
            const blasint* ldb, const double* beta, double* c, const blasint* ldc);

// Eigenvalues of a symmetric matrix, ascending, and its eigenvectors in its place. Without the lengths of the
// strings, which Fortran compilers pass behind: OpenBLAS is built so that callers may leave them out.
void dsyevd_(const char* job, const char* triangle, const blasint* size, double* matrix, const blasint* stride,
             double* values, double* work, const blasint* work_size, blasint* whole_work,
             const blasint* whole_work_size, blasint* failure);
}
