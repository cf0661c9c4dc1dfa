// SPDX-License-Identifier: MIT
#include "frostline/layers/adaptive_average_pool.hpp"

#include "layers/layer_checks.hpp"

#include <cmath>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

static_assert(layer<adaptive_average_pool<float>> && layer<adaptive_average_pool<double>>);

namespace {

template <class T>
tensor<T> pooled(const tensor<T>& x, extent output) {
    adaptive_average_pool<T> layer{output};
    typename adaptive_average_pool<T>::context context;
    workspace<T> scratch;
    tensor<T> y;
    layer.forward(x, y, context, scratch, pass{});
    return y;
}

}  // namespace

TEST_CASE("adaptive_average_pool keeps what a layer has to keep") {
    for (const extent output : {extent{1}, {7}, {2, 3}, {5, 1}, {9, 4}}) {
        INFO("to " << output.height << "x" << output.width);
        const auto make = [&]<class T>() { return adaptive_average_pool<T>{output}; };
        layer_checks::check_layer(make, 3, {7, 6, 5});
        layer_checks::check_layer(make, 2, {1, 8, 67});
    }
}

TEST_CASE("adaptive_average_pool gives the mean of PyTorch's windows") {
    const auto sizes = GENERATE(std::pair{14, 7}, std::pair{10, 7}, std::pair{7, 7}, std::pair{3, 7},
                                std::pair{1, 7}, std::pair{13, 4});
    const auto inputs = static_cast<std::size_t>(sizes.first);
    const auto outputs = static_cast<std::size_t>(sizes.second);
    const auto x = layer_checks::random_tensor<double>(2, {inputs, 5, 3}, "x");
    const auto y = pooled(x, {outputs, 1});
    REQUIRE(shape_of(y) == sample_shape{outputs, 1, 3});
    for (std::size_t i = 0; i < outputs; ++i) {
        const auto begin = static_cast<std::size_t>(std::floor(double(i) * double(inputs) / double(outputs)));
        const auto end =
            static_cast<std::size_t>(std::ceil(double(i + 1) * double(inputs) / double(outputs)));
        for (std::size_t sample = 0; sample < 2; ++sample)
            for (std::size_t c = 0; c < 3; ++c) {
                double sum = 0;
                for (std::size_t row = begin; row < end; ++row)
                    for (std::size_t column = 0; column < 5; ++column) sum += x(sample, row, column, c);
                CHECK(y(sample, i, 0, c) == Catch::Approx(sum / double((end - begin) * 5)));
            }
    }
}

TEST_CASE("adaptive_average_pool leaves an input of its output's size as it is") {
    const auto x = layer_checks::random_tensor<float>(2, {7, 4, 70}, "x");
    CHECK(layer_checks::same_bits(pooled(x, {7, 4}), x));
}

TEST_CASE("adaptive_average_pool says what has no mean") {
    CHECK_THROWS_AS(adaptive_average_pool<float>{0}, argument_error);
    CHECK_THROWS_WITH((adaptive_average_pool<float>{{7, 0}}),
                      "adaptive_average_pool: the output must be at least 1x1, found 7x0");
    CHECK_THROWS_AS(adaptive_average_pool<float>{7}.output_shape({0, 4, 8}), shape_error);
    CHECK_THROWS_WITH(adaptive_average_pool<float>{7}.output_shape({4, 0, 8}),
                      ContainsSubstring("4x0x8 has no mean"));
}
