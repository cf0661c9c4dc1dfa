// SPDX-License-Identifier: MIT
#include "frostline/kernels/normalisation.hpp"

#include "frostline/core/random.hpp"
#include "support/catch.hpp"
#include "support/with_threads.hpp"
#include "support/worse.hpp"

#include <string_view>
#include <vector>

using namespace frostline;

namespace {

constexpr std::size_t sizes[][2] = {{2, 1},    {37, 3},   {3001, 6},  {1000, 15}, {4100, 16},
                                    {600, 24}, {70, 300}, {35, 1000}, {2049, 17}, {1, 5}};

template <class T>
aligned_vector<T> random_values(std::size_t count, std::string_view name, double bound = 1,
                                double offset = 0) {
    aligned_vector<T> values(count);
    const random_stream draws(3, purpose::user, hash_of(name));
    for (std::size_t i = 0; i < count; ++i)
        values[i] = static_cast<float>(offset + bound * (2 * draws.uniform(i) - 1));
    return values;
}

template <class T>
double tolerance() {
    return sizeof(T) == 4 ? 2e-5 : 1e-12;
}

/// Sum of term(i, c) over each column.
template <class Term>
std::vector<double> naive_sums(std::size_t rows, std::size_t channels, const Term& term) {
    std::vector<double> sums(channels);
    for (std::size_t i = 0; i < rows * channels; ++i) sums[i % channels] += term(i, i % channels);
    return sums;
}

template <class T>
struct statistics {
    aligned_vector<T> mean, variance;
    bool operator==(const statistics&) const = default;
};

template <class T>
statistics<T> statistics_of(std::size_t rows, std::size_t channels, const aligned_vector<T>& z) {
    statistics<T> result{aligned_vector<T>(channels), aligned_vector<T>(channels)};
    aligned_vector<T> scratch(kernels::column_scratch_size(rows, channels));
    kernels::column_statistics(rows, channels, z.data(), result.mean.data(), result.variance.data(),
                               scratch.data());
    return result;
}

}  // namespace

TEMPLATE_TEST_CASE("column statistics are those of the plain formulas", "", float, double) {
    using T = TestType;
    for (const auto& [rows, channels] : sizes) {
        INFO(rows << " rows of " << channels);
        const auto z = random_values<T>(rows * channels, "z", 2, 0.5);
        const auto found = statistics_of(rows, channels, z);
        const auto sums =
            naive_sums(rows, channels, [&](std::size_t i, std::size_t) { return double(z[i]); });
        const auto squares = naive_sums(rows, channels, [&, rows = rows](std::size_t i, std::size_t c) {
            const double deviation = z[i] - sums[c] / rows;
            return deviation * deviation;
        });
        for (std::size_t c = 0; c < channels; ++c) {
            CHECK(found.mean[c] == Catch::Approx(sums[c] / rows).margin(tolerance<T>()));
            CHECK(found.variance[c] == Catch::Approx(squares[c] / rows).margin(tolerance<T>()));
        }
    }
}

TEMPLATE_TEST_CASE("column statistics lose nothing to a large mean or an odd first row", "", float, double) {
    using T = TestType;
    for (const std::size_t channels : {3, 16, 40}) {
        const std::size_t rows = 9000;
        auto z = random_values<T>(rows * channels, "z", 1, 1e4);
        for (const bool odd : {false, true}) {
            if (odd) std::fill_n(z.begin(), channels, T{0});
            const auto found = statistics_of(rows, channels, z);
            const auto sums =
                naive_sums(rows, channels, [&](std::size_t i, std::size_t) { return double(z[i]); });
            const auto squares = naive_sums(rows, channels, [&](std::size_t i, std::size_t c) {
                const double deviation = z[i] - sums[c] / rows;
                return deviation * deviation;
            });
            for (std::size_t c = 0; c < channels; ++c) {
                CHECK(found.mean[c] == Catch::Approx(sums[c] / rows).epsilon(1e-7));
                CHECK(found.variance[c] == Catch::Approx(squares[c] / rows).epsilon(1e-5));
            }
        }
    }
}

TEST_CASE("column statistics of a constant have no variance and those of NaN are NaN") {
    const std::size_t rows = 5000, channels = 20;
    aligned_vector<float> z(rows * channels, 1234.567f);
    CHECK(statistics_of(rows, channels, z).variance[7] == 0);
    z[1234 * channels + 7] = std::nanf("");
    const auto found = statistics_of(rows, channels, z);
    CHECK(std::isnan(found.mean[7]));
    CHECK(std::isnan(found.variance[7]));
    CHECK(found.variance[6] == 0);
}

TEMPLATE_TEST_CASE("normalise scales, shifts, adds and cuts off, also in place", "", float, double) {
    using T = TestType;
    for (const auto& [rows, channels] : sizes) {
        const std::size_t count = rows * channels;
        const auto z = random_values<T>(count, "z"), addend = random_values<T>(count, "addend");
        const auto scale = random_values<T>(channels, "scale"), shift = random_values<T>(channels, "shift");
        for (const bool adds : {false, true})
            for (const bool relu : {false, true}) {
                aligned_vector<T> y(count), in_place = z, over_addend = addend;
                kernels::normalise(rows, channels, z.data(), scale.data(), shift.data(),
                                   adds ? addend.data() : nullptr, relu, y.data());
                double worst = 0;
                for (std::size_t i = 0; i < count; ++i) {
                    double expected =
                        double(z[i]) * scale[i % channels] + shift[i % channels] + (adds ? addend[i] : 0);
                    if (relu) expected = std::max(expected, 0.0);
                    take_worse(worst, std::abs(y[i] - expected));
                }
                CHECK(worst < tolerance<T>());
                kernels::normalise<T>(rows, channels, in_place.data(), scale.data(), shift.data(),
                                      adds ? addend.data() : nullptr, relu, in_place.data());
                CHECK(in_place == y);
                if (adds) {
                    kernels::normalise<T>(rows, channels, z.data(), scale.data(), shift.data(),
                                          over_addend.data(), relu, over_addend.data());
                    CHECK(over_addend == y);
                }
            }
    }
}

TEST_CASE("normalise keeps NaN through the relu") {
    const float z = std::nanf(""), one = 1;
    float y = 0;
    kernels::normalise<float>(1, 1, &z, &one, &one, nullptr, true, &y);
    CHECK(std::isnan(y));
}

TEMPLATE_TEST_CASE("batch norm's backward pass is that of the plain formulas", "", float, double) {
    using T = TestType;
    for (const auto& [rows, channels] : sizes) {
        INFO(rows << " rows of " << channels);
        const std::size_t count = rows * channels;
        const auto z = random_values<T>(count, "z", 2), y = random_values<T>(count, "y");
        const auto mean = random_values<T>(channels, "mean", 0.1),
                   weight = random_values<T>(channels, "weight");
        const auto inverse = random_values<T>(channels, "inverse", 0.2, 1);
        aligned_vector<T> scratch(kernels::column_scratch_size(rows, channels));
        for (const bool relu : {false, true}) {
            const auto given = random_values<T>(count, "dy");
            auto dy = given;
            aligned_vector<T> sum_dy(channels), sum_dy_xhat(channels), dz(count);
            kernels::batch_norm_backward_sums<T>(rows, channels, dy.data(), relu ? y.data() : nullptr,
                                                 z.data(), mean.data(), inverse.data(), dy.data(),
                                                 sum_dy.data(), sum_dy_xhat.data(), scratch.data());
            for (std::size_t i = 0; i < count; ++i)
                if (dy[i] != (relu && y[i] <= 0 ? 0 : given[i])) FAIL("dy is not masked by y > 0");
            aligned_vector<T> apart(count), sum_apart(channels), sum_xhat_apart(channels);
            kernels::batch_norm_backward_sums<T>(rows, channels, given.data(), relu ? y.data() : nullptr,
                                                 z.data(), mean.data(), inverse.data(), apart.data(),
                                                 sum_apart.data(), sum_xhat_apart.data(), scratch.data());
            CHECK(apart == dy);
            CHECK(sum_apart == sum_dy);
            CHECK(sum_xhat_apart == sum_dy_xhat);
            const auto xhat = [&](std::size_t i, std::size_t c) {
                return (double(z[i]) - mean[c]) * inverse[c];
            };
            const auto sums =
                naive_sums(rows, channels, [&](std::size_t i, std::size_t) { return double(dy[i]); });
            const auto products = naive_sums(
                rows, channels, [&](std::size_t i, std::size_t c) { return double(dy[i]) * xhat(i, c); });
            for (std::size_t c = 0; c < channels; ++c) {
                CHECK(sum_dy[c] == Catch::Approx(sums[c]).margin(10 * tolerance<T>()));
                CHECK(sum_dy_xhat[c] == Catch::Approx(products[c]).margin(10 * tolerance<T>()));
            }
            kernels::batch_norm_backward_input(rows, channels, dy.data(), z.data(), mean.data(),
                                               inverse.data(), weight.data(), sum_dy.data(),
                                               sum_dy_xhat.data(), dz.data());
            double worst = 0;
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t c = i % channels;
                const double expected = double(weight[c]) * inverse[c] *
                                        (dy[i] - sums[c] / rows - xhat(i, c) * products[c] / rows);
                take_worse(worst, std::abs(dz[i] - expected));
            }
            CHECK(worst < tolerance<T>());
            auto in_place = dy;
            kernels::batch_norm_backward_input(rows, channels, in_place.data(), z.data(), mean.data(),
                                               inverse.data(), weight.data(), sum_dy.data(),
                                               sum_dy_xhat.data(), in_place.data());
            CHECK(in_place == dz);
            aligned_vector<T> bias_gradient(channels);
            kernels::column_sums(rows, channels, dy.data(), bias_gradient.data(), scratch.data());
            CHECK(bias_gradient == sum_dy);
        }
    }
}

TEST_CASE("normalisation is the same to the bit on any number of threads") {
    for (const auto& [rows, channels] :
         {std::pair<std::size_t, std::size_t>{40000, 6}, {9000, 40}, {700, 600}}) {
        const auto z = random_values<float>(rows * channels, "z"),
                   given = random_values<float>(rows * channels, "dy");
        const auto run = [&, rows = rows, channels = channels] {
            const auto statistics = statistics_of(rows, channels, z);
            auto dy = given;
            aligned_vector<float> sums(2 * channels), scratch(kernels::column_scratch_size(rows, channels));
            kernels::batch_norm_backward_sums<float>(
                rows, channels, dy.data(), z.data(), z.data(), statistics.mean.data(),
                statistics.variance.data(), dy.data(), sums.data(), sums.data() + channels, scratch.data());
            return std::pair(statistics, sums);
        };
        const auto run_on = [&](int count) {
            const with_threads guard(count);
            return run();
        };
        const auto expected = run_on(1);
        for (const int count : {2, 3}) {
            CHECK(run_on(count) == expected);
        }
    }
}
