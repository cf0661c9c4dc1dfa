// SPDX-License-Identifier: MIT
#include "frostline/layers/max_pool.hpp"

#include "layers/layer_checks.hpp"

#include <limits>

using namespace frostline;
using Catch::Matchers::ContainsSubstring;

static_assert(layer<max_pool<float>> && layer<max_pool<double>>);

TEST_CASE("max_pool keeps what a layer has to keep") {
    for (const pooling_window window :
         {pooling_window{}, {3, 2, 1}, {3, 1, 1}, {2, 3, 0}, {1, 1, 0}, {5, 3, 2}}) {
        INFO("kernel " << window.kernel << ", stride " << window.stride << ", padding " << window.padding);
        const auto make = [&]<class T>() { return max_pool<T>{window}; };
        layer_checks::check_layer(make, 3, {7, 6, 5});
        layer_checks::check_layer(make, 2, {5, 8, 67});
    }
}

TEST_CASE("max_pool has the shape of whole windows") {
    CHECK(max_pool<float>{}.output_shape({7, 6, 5}) == sample_shape{3, 3, 5});
    CHECK(max_pool<float>{{.kernel = 3, .stride = 2, .padding = 1}}.output_shape({7, 6, 5}) ==
          sample_shape{4, 3, 5});
    CHECK(max_pool<float>{{.kernel = 3, .stride = 2, .padding = 1}}.output_shape({112, 112, 64}) ==
          sample_shape{56, 56, 64});
    CHECK(max_pool<float>{{.kernel = 3}}.output_shape({9, 9, 2}) == sample_shape{3, 3, 2});
}

TEST_CASE("max_pool says what does not fit") {
    CHECK_THROWS_AS(max_pool<float>{}.output_shape({1, 1, 512}), shape_error);
    CHECK_THROWS_WITH(max_pool<float>{}.output_shape({1, 1, 512}),
                      "max_pool: a 2x2 kernel does not fit an input of 1x1x512");
    CHECK_THROWS_WITH((max_pool<float>{{.kernel = 5, .padding = 1}}.output_shape({2, 9, 4})),
                      "max_pool: a 5x5 kernel does not fit an input of 2x9x4 padded by 1");
    CHECK_THROWS_WITH((max_pool<float>{{.kernel = 3, .padding = 2}}),
                      ContainsSubstring("at most half of the kernel"));
    CHECK_THROWS_AS((max_pool<float>{{.kernel = 0}}), argument_error);
    CHECK_THROWS_AS((max_pool<float>{{.kernel = 257}}), argument_error);
}

TEST_CASE("max_pool gives the gradient to the first of equal values") {
    tensor<float> x, y, dy, dx;
    resize(x, 1, {2, 2, 1});
    const float values[] = {1, 4, 4, 4};
    std::copy_n(values, 4, x.data());
    max_pool<float> layer;
    max_pool<float>::context context;
    workspace<float> scratch;
    layer.forward(x, y, context, scratch, pass{phase::training});
    CHECK(y.data()[0] == 4);
    resize(dy, 1, {1, 1, 1});
    dy.data()[0] = 7;
    layer.backward(x, y, dy, context, scratch, gradients::input, dx);
    CHECK(dx.data()[0] == 0);
    CHECK(dx.data()[1] == 7);
    CHECK(dx.data()[2] == 0);
    CHECK(dx.data()[3] == 0);
}

TEST_CASE("max_pool leaves its context alone in inference") {
    const auto x = layer_checks::random_tensor<float>(2, {4, 4, 3}, "x");
    tensor<float> y;
    max_pool<float> layer;
    max_pool<float>::context context;
    workspace<float> scratch;
    layer.forward(x, y, context, scratch, pass{});
    CHECK(context.argmax.capacity() == 0);
    CHECK(context.input == sample_shape{});
}
