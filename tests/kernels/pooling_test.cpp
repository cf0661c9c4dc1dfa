// SPDX-License-Identifier: MIT
#include "frostline/kernels/pooling.hpp"

#include "frostline/core/random.hpp"
#include "support/catch.hpp"
#include "support/worse.hpp"

#include <cmath>
#include <vector>

using namespace frostline;
using kernels::pooling_geometry;

namespace {

pooling_geometry geometry_of(std::size_t samples, std::size_t height, std::size_t width, std::size_t channels,
                             std::size_t kernel, std::size_t stride, std::size_t padding) {
    return {samples,
            height,
            width,
            channels,
            kernel,
            stride,
            padding,
            (height + 2 * padding - kernel) / stride + 1,
            (width + 2 * padding - kernel) / stride + 1};
}

std::vector<pooling_geometry> geometries() {
    std::vector<pooling_geometry> result;
    for (const std::size_t channels : {1, 3, 16, 67, 130})
        for (const auto& [kernel, stride, padding] : {std::array<std::size_t, 3>{2, 2, 0},
                                                      {3, 2, 1},
                                                      {3, 1, 1},
                                                      {2, 3, 0},
                                                      {1, 1, 0},
                                                      {5, 3, 2},
                                                      {2, 1, 1}})
            result.push_back(geometry_of(2, 7, 6, channels, kernel, stride, padding));
    result.push_back(geometry_of(3, 40, 33, 8, 3, 2, 1));
    result.push_back(geometry_of(1, 20, 20, 2, 20, 20, 0));
    return result;
}

template <class T>
std::vector<T> random_values(std::size_t count, std::uint64_t key) {
    const random_stream draws(5, purpose::user, key);
    std::vector<T> values(count);
    for (std::size_t i = 0; i < count; ++i)
        values[i] = static_cast<T>(std::floor(draws.uniform(i) * 20) - 25);
    return values;
}

/// Calls visit(output, input or -1 for padding, place in the window) for every pair of the pooling.
template <class Visit>
void for_each_pair(const pooling_geometry& g, const Visit& visit) {
    const auto kernel = static_cast<long>(g.kernel), stride = static_cast<long>(g.stride);
    const auto padding = static_cast<long>(g.padding), height = static_cast<long>(g.input_height);
    const auto width = static_cast<long>(g.input_width), channels = static_cast<long>(g.channels);
    long output = 0;
    for (long n = 0; n < static_cast<long>(g.samples); ++n)
        for (long i = 0; i < static_cast<long>(g.output_height); ++i)
            for (long j = 0; j < static_cast<long>(g.output_width); ++j)
                for (long c = 0; c < channels; ++c, ++output)
                    for (long place = 0; place < kernel * kernel; ++place) {
                        const long row = i * stride + place / kernel - padding;
                        const long column = j * stride + place % kernel - padding;
                        const bool inside = row >= 0 && row < height && column >= 0 && column < width;
                        visit(output, inside ? ((n * height + row) * width + column) * channels + c : -1,
                              place);
                    }
}

}  // namespace

TEMPLATE_TEST_CASE("max pooling is that of the plain loops, forwards and backwards", "", float, double) {
    using T = TestType;
    for (const auto& g : geometries()) {
        INFO(g.channels << " channels, kernel " << g.kernel << ", stride " << g.stride << ", padding "
                        << g.padding);
        const std::size_t inputs = g.samples * g.input_height * g.input_width * g.channels;
        const std::size_t outputs = g.samples * g.output_height * g.output_width * g.channels;
        const auto x = random_values<T>(inputs, 1),
                   dy = random_values<T>(outputs, 2);  // whole numbers, with ties
        std::vector<T> expected(outputs, -std::numeric_limits<T>::infinity()), expected_dx(inputs);
        std::vector<std::uint16_t> expected_argmax(outputs);
        std::vector<long> chosen(outputs);
        for_each_pair(g, [&](long output, long input, long place) {
            if (input < 0 || !(x[input] > expected[output])) return;
            expected[output] = x[input];
            expected_argmax[output] = static_cast<std::uint16_t>(place);
            chosen[output] = input;
        });
        for (std::size_t output = 0; output < outputs; ++output) expected_dx[chosen[output]] += dy[output];

        std::vector<T> y(outputs), y_alone(outputs), dx(inputs, T{99});
        std::vector<std::uint16_t> argmax(outputs);
        kernels::max_pool_forward(g, x.data(), y.data(), argmax.data());
        kernels::max_pool_forward<T>(g, x.data(), y_alone.data(), nullptr);
        kernels::max_pool_backward(g, dy.data(), argmax.data(), dx.data());
        CHECK(y == expected);
        CHECK(y_alone == expected);
        CHECK(argmax == expected_argmax);
        CHECK(dx == expected_dx);
    }
}

TEMPLATE_TEST_CASE("average pooling is that of the plain loops, forwards and backwards", "", float, double) {
    using T = TestType;
    for (const auto& g : geometries()) {
        INFO(g.channels << " channels, kernel " << g.kernel << ", stride " << g.stride << ", padding "
                        << g.padding);
        const std::size_t inputs = g.samples * g.input_height * g.input_width * g.channels;
        const std::size_t outputs = g.samples * g.output_height * g.output_width * g.channels;
        const auto x = random_values<T>(inputs, 1), dy = random_values<T>(outputs, 2);
        std::vector<double> expected(outputs), expected_dx(inputs);
        const auto area = static_cast<double>(g.kernel * g.kernel);
        for_each_pair(g, [&](long output, long input, long) {
            if (input < 0) return;
            expected[output] += x[input] / area;
            expected_dx[input] += dy[output] / area;
        });
        std::vector<T> y(outputs), dx(inputs, T{99});
        kernels::average_pool_forward(g, x.data(), y.data());
        kernels::average_pool_backward(g, dy.data(), dx.data());
        double worst = 0;
        for (std::size_t i = 0; i < outputs; ++i) take_worse(worst, std::abs(y[i] - expected[i]));
        for (std::size_t i = 0; i < inputs; ++i) take_worse(worst, std::abs(dx[i] - expected_dx[i]));
        CHECK(worst < (sizeof(T) == 4 ? 1e-4 : 1e-12));
    }
}

TEST_CASE("max pooling passes NaN and minus infinity on") {
    const float nan = std::nanf(""), least = -std::numeric_limits<float>::infinity();
    const auto g = geometry_of(1, 2, 2, 1, 2, 2, 0);
    for (std::size_t place = 0; place < 4; ++place) {
        float x[] = {1, 2, 3, 4}, y = 0;
        x[place] = nan;
        std::uint16_t argmax = 9;
        kernels::max_pool_forward(g, x, &y, &argmax);
        CHECK(std::isnan(y));
        CHECK(argmax == place);
    }
    const float x[] = {least, least, least, least};
    float y = 0;
    std::uint16_t argmax = 9;
    kernels::max_pool_forward(g, x, &y, &argmax);
    CHECK(y == least);
    CHECK(argmax == 0);
}

TEST_CASE("global average pooling spreads its gradient evenly") {
    const std::vector<float> dy{6, 12, 18, 24};
    std::vector<float> dx(2 * 3 * 2);
    kernels::global_average_pool_backward<float>(2, 3, 2, dy.data(), dx.data());
    const std::vector<float> expected{2, 4, 2, 4, 2, 4, 6, 8, 6, 8, 6, 8};
    for (std::size_t i = 0; i < dx.size(); ++i) CHECK(dx[i] == Catch::Approx(expected[i]));
}
