// SPDX-License-Identifier: MIT
#include "frostline/layers/relu.hpp"

#include "layers/layer_checks.hpp"

#include <limits>

using namespace frostline;

static_assert(layer<relu<float>> && layer<relu<double>> && !adding_layer<relu<float>>);

TEST_CASE("relu keeps what a layer has to keep") {
    const auto make = []<class T>() { return relu<T>{}; };
    layer_checks::check_layer(make, 3, {3, 5, 7});
    layer_checks::check_threads<float>(make, 9, {17, 15, 33});
}

TEST_CASE("relu cuts off below zero and keeps NaN") {
    tensor<float> x, y, dy, dx;
    resize(x, 1, {1, 1, 4});
    const float values[] = {-1, 0, 2, std::numeric_limits<float>::quiet_NaN()};
    std::copy_n(values, 4, x.data());
    relu<float> layer;
    relu<float>::context context;
    workspace<float> scratch;
    layer.forward(x, y, context, scratch, pass{phase::training});
    CHECK(y.data()[0] == 0);
    CHECK(y.data()[1] == 0);
    CHECK(y.data()[2] == 2);
    CHECK(std::isnan(y.data()[3]));
    dy = x;
    std::fill_n(dy.data(), 4, 5.0f);
    layer.backward(x, y, dy, context, scratch, gradients::input, dx);
    CHECK(dx.data()[0] == 0);
    CHECK(dx.data()[1] == 0);
    CHECK(dx.data()[2] == 5);
}
