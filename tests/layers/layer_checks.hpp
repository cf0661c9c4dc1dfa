// SPDX-License-Identifier: MIT
// What every layer has to keep, checked on a factory `make` that gives the layer over T:
// make.operator()<T>().
#pragma once

#include "frostline/concepts/layer.hpp"
#include "frostline/core/parallel.hpp"
#include "frostline/testing/gradient_check.hpp"
#include "support/catch.hpp"
#include "support/with_threads.hpp"
#include "support/worse.hpp"

#include <cstring>
#include <numeric>
#include <string_view>
#include <vector>

namespace layer_checks {

using namespace frostline;

template <class T>
tensor<T> random_tensor(std::size_t samples, const sample_shape& shape, std::string_view name,
                        double bound = 1, double offset = 0) {
    tensor<T> result;
    resize(result, samples, shape);
    const random_stream draws(7, purpose::user, hash_of(name));
    // Through float, so that both scalar types see the same values.
    for (std::size_t i = 0; i < result.size(); ++i)
        result.data()[i] = static_cast<float>(offset + bound * (2 * draws.uniform(i) - 1));
    return result;
}

/// The rows [first, last) of a batch.
template <class T>
tensor<T> rows_of(const tensor<T>& x, std::size_t first, std::size_t last) {
    tensor<T> result;
    resize(result, last - first, shape_of(x));
    std::copy_n(x.data() + first * shape_of(x).size(), result.size(), result.data());
    return result;
}

template <class T>
bool same_bits(const tensor<T>& a, const tensor<T>& b) {
    return a.shape() == b.shape() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

template <class Layer>
using arenas_of = parameter_arenas<typename Layer::value_type>;

/// Binds the parameters of a layer to `arenas` and fills them with random values around 1.
template <class Layer>
void bind(Layer& layer, arenas_of<Layer>& arenas) {
    std::vector<parameter<typename Layer::value_type>*> parameters;
    layer.for_each_parameter([&](auto& item) { parameters.push_back(&item); });
    arenas.bind(parameters);
    for (auto* item : parameters) {
        const random_stream draws(11, purpose::user, hash_of(item->name));
        for (std::size_t i = 0; i < item->size(); ++i)
            item->value[i] = static_cast<float>(0.5 + draws.uniform(i));
    }
}

template <class T>
struct training_pass {
    tensor<T> y, dx, y_inference;
    std::vector<T> gradients, buffers;
};

/// Two training steps on different samples, then inference, with a fresh layer.
template <class T, class Make>
training_pass<T> run(const Make& make, std::size_t samples, const sample_shape& shape, double offset = 0) {
    auto layer = make.template operator()<T>();
    arenas_of<decltype(layer)> arenas;
    bind(layer, arenas);
    typename decltype(layer)::context context, unused;
    workspace<T> scratch;
    training_pass<T> result;
    std::vector<std::uint64_t> ids(samples);
    std::iota(ids.begin(), ids.end(), 5);
    for (const char* step : {"first", "second"}) {
        const auto x = random_tensor<T>(samples, shape, step, 1, offset);
        layer.forward(x, result.y, context, scratch, pass{phase::training, 3, 9, ids});
        REQUIRE(shape_of(result.y) == layer.output_shape(shape));
        auto dy = random_tensor<T>(samples, shape_of(result.y), "dy");
        layer.backward(x, result.y, dy, context, scratch, gradients::both, result.dx);
        layer.forward(x, result.y_inference, unused, scratch, pass{});
    }
    result.gradients.assign(arenas.gradients().begin(), arenas.gradients().end());
    layer.for_each_buffer([&](auto& item) {
        result.buffers.insert(result.buffers.end(), item.values.begin(), item.values.end());
    });
    return result;
}

/// Bitwise the same on 1, 2 and 3 threads.
template <class T, class Make>
void check_threads(const Make& make, std::size_t samples, const sample_shape& shape) {
    const auto run_on = [&](int count) {
        const with_threads guard(count);
        return run<T>(make, samples, shape);
    };
    const auto expected = run_on(1);
    for (const int count : {2, 3}) {
        const auto found = run_on(count);
        CHECK(same_bits(found.y, expected.y));
        CHECK(same_bits(found.dx, expected.dx));
        CHECK(same_bits(found.y_inference, expected.y_inference));
        CHECK(found.gradients == expected.gradients);
        CHECK(found.buffers == expected.buffers);
    }
}

/// Inference gives the same bits for a sample in any batch and place.
template <class T, class Make>
void check_rows(const Make& make, const sample_shape& shape) {
    auto layer = make.template operator()<T>();
    arenas_of<decltype(layer)> arenas;
    bind(layer, arenas);
    layer.for_each_buffer([](auto& item) {
        for (std::size_t i = 0; i < item.values.size(); ++i) item.values[i] += static_cast<T>(0.1 * (i % 7));
    });
    typename decltype(layer)::context context;
    workspace<T> scratch;
    const std::size_t samples = 7;
    const auto x = random_tensor<T>(samples, shape, "rows");
    tensor<T> whole, part;
    layer.forward(x, whole, context, scratch, pass{});
    for (std::size_t first = 0; first < samples; ++first)
        for (const std::size_t count : {1, 2, 5}) {
            if (first + count > samples) continue;
            layer.forward(rows_of(x, first, first + count), part, context, scratch, pass{});
            CHECK(same_bits(part, rows_of(whole, first, first + count)));
        }
}

template <class Float, class Double>
double largest_difference(const Float& found, const Double& expected) {
    REQUIRE(found.size() == expected.size());
    double worst = 0;
    for (std::size_t i = 0; i < found.size(); ++i)
        take_worse(worst, std::abs(static_cast<double>(found.data()[i]) - expected.data()[i]));
    return worst;
}

/// Float follows double.
template <class Make>
void check_precision(const Make& make, std::size_t samples, const sample_shape& shape,
                     double tolerance = 1e-5) {
    const auto found = run<float>(make, samples, shape);
    const auto expected = run<double>(make, samples, shape);
    CHECK(largest_difference(found.y, expected.y) < tolerance);
    CHECK(largest_difference(found.dx, expected.dx) < tolerance);
    CHECK(largest_difference(found.y_inference, expected.y_inference) < tolerance);
    CHECK(largest_difference(found.buffers, expected.buffers) < tolerance);
}

template <class Make>
void check_gradient(const Make& make, std::size_t samples, const sample_shape& shape) {
    auto layer = make.template operator()<double>();
    const gradient_check_result result = check_gradients(layer, shape, samples);
    INFO("worst in " << result.where);
    CHECK(result.worst_error < 1e-6);
}

/// Frozen computes as inference does, changes no statistics, and its gradients fit.
template <class Make>
void check_frozen(const Make& make, std::size_t samples, const sample_shape& shape) {
    auto layer = make.template operator()<double>();
    layer.for_each_buffer([](auto& item) {
        for (std::size_t i = 0; i < item.values.size(); ++i)
            item.values[i] += 0.1 * static_cast<double>(i % 7);
    });
    const auto result = check_gradients(layer, shape, samples, 0, 100, phase::frozen);
    INFO("worst in " << result.where);
    CHECK(result.worst_error < 1e-6);

    arenas_of<decltype(layer)> arenas;
    bind(layer, arenas);
    std::vector<double> before, after;
    const auto read = [&](std::vector<double>& values) {
        layer.for_each_buffer(
            [&](auto& item) { values.insert(values.end(), item.values.begin(), item.values.end()); });
    };
    read(before);
    typename decltype(layer)::context context;
    workspace<double> scratch;
    tensor<double> frozen, inferred;
    const auto x = random_tensor<double>(samples, shape, "frozen");
    layer.forward(x, frozen, context, scratch, pass{.phase = phase::frozen, .seed = 3, .step = 9});
    layer.forward(x, inferred, context, scratch, pass{});
    CHECK(same_bits(frozen, inferred));
    read(after);
    CHECK(before == after);
}

/// All of the above, also for a batch of one sample.
template <class Make>
void check_layer(const Make& make, std::size_t samples, const sample_shape& shape) {
    INFO(samples << " samples of " << shape);
    check_gradient(make, samples, shape);
    check_gradient(make, 1, shape);
    check_frozen(make, samples, shape);
    check_precision(make, samples, shape);
    check_rows<float>(make, shape);
    check_rows<double>(make, shape);
    check_threads<float>(make, samples, shape);
    check_threads<float>(make, 1, shape);
    check_threads<double>(make, samples, shape);
}

}  // namespace layer_checks
