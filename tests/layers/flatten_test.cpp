// SPDX-License-Identifier: MIT
#include "frostline/layers/flatten.hpp"

#include "layers/layer_checks.hpp"

using namespace frostline;

static_assert(layer<flatten<float>> && layer<flatten<double>>);

TEST_CASE("flatten keeps what a layer has to keep") {
    const auto make = []<class T>() { return flatten<T>{}; };
    layer_checks::check_layer(make, 3, {3, 5, 7});
    layer_checks::check_threads<float>(make, 5, {33, 31, 17});
}

TEST_CASE("flatten keeps the elements of a sample in order") {
    const auto x = layer_checks::random_tensor<float>(2, {3, 4, 5}, "x");
    tensor<float> y, dx;
    flatten<float> layer;
    flatten<float>::context context;
    workspace<float> scratch;
    CHECK(layer.output_shape({3, 4, 5}) == sample_shape{1, 1, 60});
    layer.forward(x, y, context, scratch, pass{phase::training});
    CHECK(shape_of(y) == sample_shape{1, 1, 60});
    CHECK(std::equal(x.data(), x.data() + 120, y.data()));
    tensor<float> other, ignored;
    resize(other, 1, {2, 2, 2});
    layer.forward(other, ignored, context, scratch, pass{});
    layer.backward(x, y, y, context, scratch, gradients::input, dx);
    CHECK(layer_checks::same_bits(dx, x));
}
