// SPDX-License-Identifier: MIT
// Calls OpenBLAS and oneTBB through frostline, whose target has to bring them along.
#include <cstddef>
#include <cstdio>
#include <frostline/frostline.hpp>
#include <vector>

int main() {
    const double a[] = {1, 2}, b[] = {3, 4};
    double product = 0;
    frostline::kernels::blas_product(false, false, 1, 1, 2, a, 2, b, 1, false, &product, 1);  // OpenBLAS
    std::vector<std::size_t> squares(100);
    frostline::parallel_for(squares.size(), [&](std::size_t i) { squares[i] = i * i; });  // oneTBB
    std::printf("frostline %s\n", frostline::version_string.data());
    return product == 11 && squares[99] == 9801 ? 0 : 1;
}
