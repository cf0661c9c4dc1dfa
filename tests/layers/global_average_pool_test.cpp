// SPDX-License-Identifier: MIT
#include "frostline/layers/global_average_pool.hpp"

#include "layers/layer_checks.hpp"

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

static_assert(layer<global_average_pool<float>> && layer<global_average_pool<double>>);

TEST_CASE("global_average_pool keeps what a layer has to keep") {
    const auto make = []<class T>() { return global_average_pool<T>{}; };
    for (const sample_shape shape : {sample_shape{3, 5, 7}, {1, 1, 3}, {2, 3, 130}, {19, 17, 5}})
        layer_checks::check_layer(make, 4, shape);
}

TEST_CASE("global_average_pool gives the mean over the positions of a channel") {
    for (const sample_shape shape : {sample_shape{19, 17, 5}, {7, 7, 70}, {1, 1, 1}}) {
        const auto x = layer_checks::random_tensor<float>(3, shape, "x", 1, 3);
        tensor<float> y;
        global_average_pool<float> layer;
        global_average_pool<float>::context context;
        workspace<float> scratch;
        layer.forward(x, y, context, scratch, pass{});
        REQUIRE(shape_of(y) == sample_shape{1, 1, shape.channels});
        for (std::size_t sample = 0; sample < 3; ++sample)
            for (std::size_t c = 0; c < shape.channels; ++c) {
                double sum = 0;
                for (std::size_t i = 0; i < shape.height; ++i)
                    for (std::size_t j = 0; j < shape.width; ++j) sum += x(sample, i, j, c);
                CHECK(y(sample, 0, 0, c) == Catch::Approx(sum / (shape.height * shape.width)).epsilon(1e-6));
            }
    }
}

TEST_CASE("global_average_pool refuses an input without positions") {
    CHECK_THROWS_WITH(global_average_pool<float>{}.output_shape({0, 4, 8}),
                      ContainsSubstring("0x4x8 has no mean"));
}
