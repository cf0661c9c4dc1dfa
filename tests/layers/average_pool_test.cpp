// SPDX-License-Identifier: MIT
#include "frostline/layers/average_pool.hpp"

#include "layers/layer_checks.hpp"

using namespace frostline;

static_assert(layer<average_pool<float>> && layer<average_pool<double>>);

TEST_CASE("average_pool keeps what a layer has to keep") {
    for (const pooling_window window :
         {pooling_window{}, {3, 2, 1}, {3, 1, 1}, {2, 3, 0}, {1, 1, 0}, {5, 3, 2}}) {
        INFO("kernel " << window.kernel << ", stride " << window.stride << ", padding " << window.padding);
        const auto make = [&]<class T>() { return average_pool<T>{window}; };
        layer_checks::check_layer(make, 3, {7, 6, 5});
        layer_checks::check_layer(make, 2, {5, 8, 67});
    }
}

TEST_CASE("average_pool counts padding as zeros") {
    tensor<float> x, y;
    resize(x, 1, {2, 2, 1});
    std::fill_n(x.data(), 4, 9.0f);
    average_pool<float> layer{{.kernel = 3, .stride = 2, .padding = 1}};
    average_pool<float>::context context;
    workspace<float> scratch;
    layer.forward(x, y, context, scratch, pass{});
    REQUIRE(shape_of(y) == sample_shape{1, 1, 1});
    CHECK(y.data()[0] == Catch::Approx(4.0));
}

TEST_CASE("average_pool says what does not fit") {
    CHECK_THROWS_WITH((average_pool<float>{{.kernel = 7}}.output_shape({4, 8, 16})),
                      "average_pool: a 7x7 kernel does not fit an input of 4x8x16");
    CHECK_THROWS_AS((average_pool<float>{{.kernel = 2, .padding = 2}}), argument_error);
}
