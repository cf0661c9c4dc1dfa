// SPDX-License-Identifier: MIT
#include "frostline/kernels/symmetric_eigen.hpp"

#include "frostline/kernels/gemm.hpp"
#include "support/catch.hpp"

#include <xtensor-blas/xlinalg.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <tuple>
#include <vector>

namespace {

using namespace frostline::kernels;

std::vector<double> symmetric_matrix(std::size_t size) {
    std::vector<double> matrix(size * size);
    for (std::size_t i = 0; i < size; ++i)
        for (std::size_t j = 0; j <= i; ++j)
            matrix[i * size + j] = matrix[j * size + i] = std::sin(static_cast<double>(1 + i * i + 3 * j));
    return matrix;
}

}  // namespace

TEST_CASE("symmetric_eigen gives the eigenvalues that xtensor-blas gives, ascending, and their eigenvectors") {
    for (const std::size_t size : {1, 2, 7, 33}) {
        const auto matrix = symmetric_matrix(size);
        xt::xtensor<double, 2> copy = xt::zeros<double>({size, size});
        std::copy(matrix.begin(), matrix.end(), copy.begin());
        const auto expected = std::get<0>(xt::linalg::eigh(copy));

        auto vectors = matrix;
        const auto values = symmetric_eigen(vectors, size);
        REQUIRE(values);
        for (std::size_t k = 0; k < size; ++k) {
            CHECK((*values)[k] == Approx(expected(k)).margin(1e-12));
            const double* vector = vectors.data() + k * size;
            double length = 0;
            for (std::size_t i = 0; i < size; ++i) {
                double image = 0;
                for (std::size_t j = 0; j < size; ++j) image += matrix[i * size + j] * vector[j];
                CHECK(image == Approx((*values)[k] * vector[i]).margin(1e-12));
                length += vector[i] * vector[i];
            }
            CHECK(length == Approx(1.0));
        }
    }
}
