// SPDX-License-Identifier: MIT
#include "frostline/kernels/gemm.hpp"

#include "frostline/core/tensor.hpp"
#include "support/catch.hpp"

#include <cblas.h>

#include <cmath>
#include <cstring>
#include <vector>

namespace {

using namespace frostline;
using namespace frostline::kernels;

template <class T>
aligned_vector<T> wave(std::size_t size, double step) {
    aligned_vector<T> values(size);
    for (std::size_t i = 0; i < size; ++i)
        values[i] = static_cast<T>(std::sin(step * static_cast<double>(i + 1)));
    return values;
}

template <class T>
void check_products(std::size_t rows, std::size_t columns, std::size_t depth, bool accumulate) {
    const std::size_t ldb = round_up(columns, lanes<T>);
    const auto a = wave<T>(rows * depth, 0.7);
    auto b = wave<T>(depth * ldb, 0.3);
    const auto start = wave<T>(rows * columns + 1, 0.1);
    auto by_rows = start, by_outer = start;

    std::vector<const T*> a_rows;
    std::vector<T*> c_rows;
    for (std::size_t r = 0; r < rows; ++r) {
        a_rows.push_back(a.data() + r * depth);
        c_rows.push_back(by_rows.data() + r * columns);
    }
    multiply_row_panel<T>(rows, columns, depth, a_rows.data(), 0, b.data(), ldb, accumulate, c_rows.data());

    aligned_vector<T> transposed(a.size());
    transpose(rows, depth, a.data(), depth, transposed.data(), rows);
    multiply_outer_panel<T>(rows, columns, depth, transposed.data(), rows, b.data(), ldb, accumulate,
                            by_outer.data(), columns);

    for (std::size_t r = 0; r < rows; ++r) {
        for (std::size_t c = 0; c < columns; ++c) {
            double expected = accumulate ? static_cast<double>(start[r * columns + c]) : 0;
            for (std::size_t k = 0; k < depth; ++k) {
                expected += static_cast<double>(a[r * depth + k]) * static_cast<double>(b[k * ldb + c]);
            }
            CAPTURE(rows, columns, depth, r, c);
            REQUIRE(std::abs(static_cast<double>(by_rows[r * columns + c]) - expected) < 1e-4);
            REQUIRE(std::abs(static_cast<double>(by_outer[r * columns + c]) - expected) < 1e-4);
        }
    }
    REQUIRE(by_rows.back() == start.back());  // nothing beyond the last column of the last row
    REQUIRE(by_outer.back() == start.back());
}

}  // namespace

TEST_CASE("the micro-kernels give and add products for every number of rows and columns") {
    for (const bool accumulate : {false, true}) {
        for (std::size_t rows = 1; rows <= 25; ++rows) {
            for (std::size_t columns = 1; columns <= panel_columns<float>; ++columns)
                check_products<float>(rows, columns, 5, accumulate);
            for (std::size_t columns = 1; columns <= panel_columns<double>; ++columns)
                check_products<double>(rows, columns, 3, accumulate);
        }
        check_products<float>(13, panel_columns<float>, 200, accumulate);
    }
}

TEST_CASE("a row of a product has the same bits wherever it stands") {
    const std::size_t depth = 77;
    for (const std::size_t columns : {std::size_t{3}, lanes<float>, panel_columns<float>}) {
        const std::size_t ldb = round_up(columns, lanes<float>);
        const auto a = wave<float>(depth, 0.9);
        const auto b = wave<float>(depth * ldb, 0.4);
        std::vector<float> alone(columns, 0.0f);
        const float* row = a.data();
        float* result = alone.data();
        multiply_row_panel<float>(1, columns, depth, &row, 0, b.data(), ldb, true, &result);
        for (std::size_t rows = 1; rows <= 26; ++rows) {
            std::vector<float> c(rows * columns, 0.0f);
            const std::vector<const float*> a_rows(rows, a.data());
            std::vector<float*> c_rows;
            for (std::size_t r = 0; r < rows; ++r) c_rows.push_back(c.data() + r * columns);
            multiply_row_panel<float>(rows, columns, depth, a_rows.data(), 0, b.data(), ldb, true,
                                      c_rows.data());
            for (std::size_t r = 0; r < rows; ++r) {
                REQUIRE(std::memcmp(c.data() + r * columns, alone.data(), columns * sizeof(float)) == 0);
            }
        }
    }
}

TEST_CASE("transposition of any size") {
    for (const std::size_t rows : {1, 2, 5, 8, 16, 17, 40}) {
        for (const std::size_t columns : {1, 3, 4, 15, 16, 33}) {
            const auto from = wave<float>(rows * columns, 1.1);
            aligned_vector<float> to(from.size());
            transpose(rows, columns, from.data(), columns, to.data(), rows);
            for (std::size_t r = 0; r < rows; ++r) {
                for (std::size_t c = 0; c < columns; ++c) REQUIRE(to[c * rows + r] == from[r * columns + c]);
            }
        }
    }
}

TEST_CASE("OpenBLAS products for all transpositions") {
    const std::size_t m = 5, n = 7, k = 3;
    const auto a = wave<double>(m * k, 0.7);
    const auto b = wave<double>(k * n, 0.3);
    for (const bool ta : {false, true}) {
        for (const bool tb : {false, true}) {
            std::vector<double> c(m * n, 1.0);
            blas_product<double>(ta, tb, m, n, k, a.data(), ta ? m : k, b.data(), tb ? k : n, true, c.data(),
                                 n);
            for (std::size_t i = 0; i < m; ++i) {
                for (std::size_t j = 0; j < n; ++j) {
                    double expected = 1.0;
                    for (std::size_t l = 0; l < k; ++l)
                        expected += a[ta ? l * m + i : i * k + l] * b[tb ? j * k + l : l * n + j];
                    REQUIRE(c[i * n + j] == Approx(expected));
                }
            }
        }
    }
}

TEST_CASE("OpenBLAS runs on one thread") {
    const float a = 2, b = 3;
    float c = 0;
    blas_product<float>(false, false, 1, 1, 1, &a, 1, &b, 1, false, &c, 1);
    CHECK(c == 6);
    CHECK(openblas_get_num_threads() == 1);
}
