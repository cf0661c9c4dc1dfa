// SPDX-License-Identifier: MIT
#include "frostline/layers/batch_norm.hpp"

#include "layers/layer_checks.hpp"

using namespace frostline;

static_assert(layer<batch_norm<float>> && layer<batch_norm<double>>);

TEST_CASE("batch_norm keeps what a layer has to keep") {
    for (const sample_shape shape : {sample_shape{3, 5, 7}, {4, 3, 1}, {3, 3, 16}, {2, 3, 67}, {9, 9, 300}}) {
        const auto make = [&]<class T>() { return batch_norm<T>("features.1", shape.channels); };
        layer_checks::check_layer(make, 5, shape);
    }
}

TEST_CASE("batch_norm of many rows is the same on any number of threads") {
    for (const std::size_t channels : {1, 6, 16, 24, 300}) {
        const auto make = [&]<class T>() { return batch_norm<T>("features.1", channels); };
        layer_checks::check_threads<float>(make, 7, {23, 19, channels});
        layer_checks::check_precision(make, 7, {23, 19, channels});
    }
}

TEST_CASE("batch_norm normalises by the batch and remembers unbiased statistics") {
    const sample_shape shape{5, 3, 4};
    const auto x = layer_checks::random_tensor<double>(6, shape, "x", 2, 5);
    const double count = 6 * 5 * 3;
    batch_norm<double> layer("bn1", 4, {.momentum = 0.25, .epsilon = 1e-3});
    parameter_arenas<double> arenas;
    layer_checks::bind(layer, arenas);
    std::vector<parameter<double>*> parameters;
    layer.for_each_parameter([&](auto& item) { parameters.push_back(&item); });
    std::vector<buffer<double>*> buffers;
    layer.for_each_buffer([&](auto& item) { buffers.push_back(&item); });
    REQUIRE(parameters.size() == 2);
    REQUIRE(buffers.size() == 2);
    CHECK(parameters[0]->name == "bn1.weight");
    CHECK(parameters[1]->name == "bn1.bias");
    CHECK_FALSE(parameters[0]->decays);
    CHECK_FALSE(parameters[1]->decays);
    CHECK(buffers[0]->name == "bn1.running_mean");
    CHECK(buffers[1]->name == "bn1.running_var");

    batch_norm<double>::context context;
    workspace<double> scratch;
    tensor<double> y;
    layer.forward(x, y, context, scratch, pass{phase::training});
    for (std::size_t c = 0; c < 4; ++c) {
        double mean = 0, variance = 0;
        for (std::size_t i = c; i < x.size(); i += 4) mean += x.data()[i] / count;
        for (std::size_t i = c; i < x.size(); i += 4)
            variance += (x.data()[i] - mean) * (x.data()[i] - mean) / count;
        CHECK(buffers[0]->values[c] == Catch::Approx(0.25 * mean));
        CHECK(buffers[1]->values[c] == Catch::Approx(0.75 + 0.25 * variance * count / (count - 1)));
        const double expected =
            (x(1, 2, 1, c) - mean) / std::sqrt(variance + 1e-3) * parameters[0]->value[c] +
            parameters[1]->value[c];
        CHECK(y(1, 2, 1, c) == Catch::Approx(expected));
    }

    const auto before = buffers[0]->values;
    layer.forward(x, y, context, scratch, pass{});
    CHECK(buffers[0]->values == before);
    const double expected =
        (x(1, 2, 1, 3) - before[3]) / std::sqrt(buffers[1]->values[3] + 1e-3) * parameters[0]->value[3] +
        parameters[1]->value[3];
    CHECK(y(1, 2, 1, 3) == Catch::Approx(expected));
}

TEST_CASE("batch_norm gives each gradient alone as it gives both") {
    const sample_shape shape{4, 3, 5};
    const auto x = layer_checks::random_tensor<float>(3, shape, "x");
    batch_norm<float> layer("bn1", 5);
    parameter_arenas<float> arenas;
    layer_checks::bind(layer, arenas);
    batch_norm<float>::context context;
    workspace<float> scratch;
    tensor<float> y, dx, dx_alone;
    const auto backward = [&](gradients wanted, tensor<float>& result) {
        layer.forward(x, y, context, scratch, pass{phase::training});
        auto dy = layer_checks::random_tensor<float>(3, shape, "dy");
        layer.backward(x, y, dy, context, scratch, wanted, result);
    };
    backward(gradients::both, dx);
    const std::vector<float> expected(arenas.gradients().begin(), arenas.gradients().end());
    std::fill(arenas.gradients().begin(), arenas.gradients().end(), -3.0f);
    backward(gradients::input, dx_alone);
    CHECK(layer_checks::same_bits(dx, dx_alone));
    CHECK(std::all_of(arenas.gradients().begin(), arenas.gradients().end(), [](float g) { return g == -3; }));
    std::fill(arenas.gradients().begin(), arenas.gradients().end(), 0.0f);
    tensor<float> untouched;
    backward(gradients::parameters, untouched);
    CHECK(untouched.size() <= 1);
    CHECK(std::equal(expected.begin(), expected.end(), arenas.gradients().begin()));
}

TEST_CASE("batch_norm keeps its precision far from zero") {
    const sample_shape shape{8, 8, 20};
    const auto x = layer_checks::random_tensor<float>(16, shape, "x", 1, 1e4);
    const auto run = [&]<class T>(T) {
        batch_norm<T> layer("bn1", 20);
        parameter_arenas<T> arenas;
        layer_checks::bind(layer, arenas);
        typename batch_norm<T>::context context;
        workspace<T> scratch;
        tensor<T> y, converted;
        resize(converted, 16, shape);
        std::copy_n(x.data(), x.size(), converted.data());
        layer.forward(converted, y, context, scratch, pass{phase::training});
        return std::vector<double>(context.inverse_deviation.begin(), context.inverse_deviation.end());
    };
    const auto found = run(float{}), expected = run(double{});
    for (std::size_t c = 0; c < 20; ++c) CHECK(found[c] == Catch::Approx(expected[c]).epsilon(1e-5));
}

TEST_CASE("batch_norm says what is wrong") {
    CHECK_THROWS_WITH(batch_norm<float>("layer1.0.bn1", 64).output_shape({8, 8, 32}),
                      "batch_norm layer1.0.bn1: expected 64 channels, found an input of 8x8x32");
    CHECK_THROWS_AS((batch_norm<float>("bn", 4, {.momentum = 2})), argument_error);
    CHECK_THROWS_AS((batch_norm<float>("bn", 4, {.epsilon = 0})), argument_error);
    CHECK_THROWS_AS(batch_norm<float>("bn", 0), argument_error);
    batch_norm<float> layer("bn", 4);
    batch_norm<float>::context context;
    workspace<float> scratch;
    tensor<float> y;
    const auto x = layer_checks::random_tensor<float>(1, {1, 1, 4}, "x");
    CHECK_THROWS_AS(layer.forward(x, y, context, scratch, pass{phase::training}), shape_error);
}
